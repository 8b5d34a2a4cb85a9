import type { IsaBus, IsaDmaTransfer } from "@mimus/bus-isa";
import busIsa from "@mimus/bus-isa";
import { MemoryRegion } from "@mimus/machine-core";
import { Bench, testDevice } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import plugin, { i8257, isaDebugcon, isaDebugExit, port92 } from "../index.ts";

const plugins = [busIsa, plugin];
const isa = { plugins: [busIsa], setup: (_m: unknown, b: Bench) => void b.device("isabus-bridge") };
testDevice(port92, isa);
testDevice(isaDebugcon, {
  ...isa,
  props: { chardev: "c" },
  setup: (machine, bench) => {
    isa.setup(machine, bench);
    machine.registerBackend("chardev", "c", { write: (bytes: Uint8Array) => bytes.length });
  },
});
testDevice(isaDebugExit, isa);
testDevice(i8257, isa);
testDevice(i8257, { ...isa, props: { base: 0xc0, "page-base": 0x88, dshift: 1 } });

function pc() {
  const bench = new Bench({ plugins });
  const bus = bench.device("isabus-bridge").impl as IsaBus;
  return { bench, bus, machine: bench.machine, io: bench.machine.io! };
}

describe("port 92h", () => {
  it("drives A20 and resets on a rising edge of its bit", () => {
    const { bench, machine, io } = pc();
    const gate = bench.device("port92").irqOut("a20");
    let resets = 0;
    machine.on("reset-request", () => resets++);
    io.write(0x92, 1, 2);
    expect([gate.level, io.read(0x92, 1)]).toEqual([true, 2]);
    io.write(0x92, 1, 1);
    io.write(0x92, 1, 1);
    expect([gate.level, resets]).toEqual([false, 1]);
  });
});

describe("debug ports", () => {
  it("print and exit", () => {
    const { bench, machine, io } = pc();
    let text = "";
    machine.registerBackend("chardev", "c", {
      write: (b: Uint8Array) => ((text += String.fromCharCode(...b)), b.length),
    });
    bench.device("isa-debugcon", { chardev: "c", iobase: 0x402 });
    bench.device("isa-debug-exit", { iobase: 0xf4, iosize: 4 });
    const asked: unknown[] = [];
    machine.on("shutdown-request", (...a: unknown[]) => asked.push(a));
    for (const c of "hi\n") io.write(0x402, 1, c.charCodeAt(0));
    expect([text, io.read(0x402, 1)]).toEqual(["hi\n", 0xe9]);
    io.write(0xf4, 4, 0x10);
    expect(asked).toEqual([["host-quit", 33]]);
  });
});

describe("DMA", () => {
  function dma() {
    const p = pc();
    p.bench.device("i8257");
    p.bench.device("i8257", { base: 0xc0, "page-base": 0x88, dshift: 1 });
    const { io, machine, bus } = p;
    machine.system.root.add(0, MemoryRegion.ram("low", machine.memory.ram("low", 0x10_0000)));
    const program = (address: number, count: number, mode: number): void => {
      io.write(0x0c, 1, 0);
      io.write(0x04, 1, address & 0xff);
      io.write(0x04, 1, (address >> 8) & 0xff);
      io.write(0x05, 1, count & 0xff);
      io.write(0x05, 1, count >> 8);
      io.write(0x81, 1, address >> 16);
      io.write(0x0b, 1, mode | 2);
      io.write(0x0a, 1, 2);
    };
    return { ...p, program, channel: bus.dmaChannel(2)!, s: machine.system };
  }

  it("moves a block to memory, tells of the end and masks the channel", () => {
    const { program, channel, io, s } = dma();
    const data = Uint8Array.from({ length: 600 }, (_, i) => i);
    let calls = 0;
    channel.attach({
      transfer(t: IsaDmaTransfer) {
        calls++;
        const n = Math.min(256, t.length - t.position);
        expect(t.mode).toBe("write");
        expect(t.write(data, t.position, n)).toBe(n);
        t.advance(n);
      },
    });
    program(0x1_ff00, 511, 0x44);
    channel.setRequest(true);
    const got = new Uint8Array(256);
    s.readBytes(0x1_ff00, got);
    expect([calls, got[255], s.read(0x1_0000, 1)]).toEqual([2, 255, 0]); // wraps within its 64 KiB
    expect(io.read(0x08, 1)).toBe(0x44);
    expect(io.read(0x08, 1)).toBe(0x40);
    expect(io.read(0x0f, 1)).toBe(0x0f);
    channel.setRequest(false);
    io.write(0x0a, 1, 2);
    expect(calls).toBe(2);
  });

  it("begins when the guest takes the mask away, and starts over with automatic initialization", () => {
    const { program, channel, io, s } = dma();
    let got: number[] = [];
    const one = new Uint8Array(1);
    channel.attach({
      transfer(t) {
        if (got.length === 5) return;
        t.read(one, 0, 1);
        got.push(one[0]!);
        t.advance(1);
      },
    });
    s.write(0x2000, 4, 0x0403_0201);
    channel.setRequest(true);
    expect(got).toEqual([]);
    program(0x2000, 2, 0x58);
    expect(got).toEqual([1, 2, 3, 1, 2]);
    io.write(0x0c, 1, 0);
    expect([io.read(4, 1), io.read(4, 1), io.read(5, 1), io.read(5, 1)]).toEqual([2, 0x20, 0, 0]);
  });

  it("survives a device that never stops, and one that moves nothing", () => {
    const { program, channel } = dma();
    let calls = 0;
    channel.attach({ transfer: (t) => (calls++, t.advance(1)) });
    program(0, 0, 0x50);
    channel.setRequest(true);
    expect(calls).toBeLessThan(10_000);
    calls = 0;
    channel.attach({ transfer: () => void calls++ });
    channel.setRequest(true);
    expect(calls).toBe(1);
  });
});
