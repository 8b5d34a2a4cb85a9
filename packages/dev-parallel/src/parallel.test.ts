import busIsa, { IsaBus } from "@mimus/bus-isa";
import { BaseChar } from "@mimus/chardev";
import { AddressSpace } from "@mimus/machine-core";
import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { isaParallel } from "./index.ts";

testManifest(packageJson, plugin);
testDevice(isaParallel, { plugins: [busIsa], setup: (_m, b) => void b.device("isabus-bridge") });

class Paper extends BaseChar {
  text = "";
  full = false;
  write(bytes: Uint8Array): number {
    if (this.full) return 0;
    this.text += String.fromCharCode(...bytes);
    return bytes.length;
  }
  async close(): Promise<void> {}
  more(): void {
    this.full = false;
    this.writable();
  }
}

function rig() {
  const bench = new Bench({ plugins: [busIsa, plugin] });
  const isa = bench.device("isabus-bridge").impl as IsaBus;
  const paper = new Paper("paper");
  bench.machine.registerBackend("chardev", "paper", paper);
  bench.device("isa-parallel", { chardev: "paper" }, { map: false });
  bench.machine.reset();
  const io = new AddressSpace("io", isa.io);
  const print = (text: string, control = 0x0c): void => {
    for (const c of text) {
      io.write(0x378, 1, c.charCodeAt(0));
      io.write(0x37a, 1, control | 1);
      io.write(0x37a, 1, control);
    }
  };
  return { bench, isa, io, paper, print };
}

it("prints what is strobed", () => {
  const { io, paper, print } = rig();
  expect([io.read(0x378, 1), io.read(0x379, 1), io.read(0x37a, 1)]).toEqual([0, 0xdc, 0xcc]);
  print("Hi");
  expect([paper.text, io.read(0x379, 1), io.read(0x379, 1)]).toEqual(["Hi", 0x98, 0xdc]);
  print("no", 0x04); // not selected
  expect(paper.text).toBe("Hi");
});

it("is busy while the printer is", () => {
  const { io, paper, print } = rig();
  paper.full = true;
  print("x");
  expect([paper.text, io.read(0x379, 1)]).toEqual(["", 0x5c]);
  paper.more();
  expect([paper.text, io.read(0x379, 1) & 0x80]).toEqual(["x", 0x80]);
});

it("interrupts for each character taken", () => {
  const { io, isa, print } = rig();
  print("a", 0x1c);
  expect(isa.level(7)).toBe(true);
  io.read(0x379, 1);
  expect(isa.level(7)).toBe(false);
});

it("has three places", () => {
  const { bench, io } = rig();
  bench.device("isa-parallel", {}, { id: "b", map: false });
  bench.device("isa-parallel", {}, { id: "c", map: false });
  io.write(0x278, 1, 0x12);
  io.write(0x3bc, 1, 0x34);
  expect([io.read(0x278, 1), io.read(0x3bc, 1)]).toEqual([0x12, 0x34]);
  expect(() => bench.device("isa-parallel", {}, { id: "d", map: false })).toThrow(/3 parallel ports/);
});
