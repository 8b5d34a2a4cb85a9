import busIsa, { IsaBus, isabusBridge } from "@mimus/bus-isa";
import busPci from "@mimus/bus-pci";
import { AddressSpace } from "@mimus/machine-core";
import { Bench, testDevice } from "@mimus/testkit";
import { expect, it } from "vitest";
import { isaSerial } from "./isa-serial.ts";
import { pciSerial } from "./pci-serial.ts";

testDevice(isaSerial, { plugins: [busIsa], setup: (_m, bench) => void bench.device("isabus-bridge") });
testDevice(pciSerial, {
  plugins: [busPci],
  setup: (_m, bench) => void bench.device("gpex-pcihost", {}, { map: false }),
});

function pc(): { bench: Bench; isa: IsaBus; io: AddressSpace } {
  const bench = new Bench({ plugins: [busIsa], types: [isabusBridge, isaSerial] });
  const isa = bench.device("isabus-bridge").impl as IsaBus;
  return { bench, isa, io: new AddressSpace("io", isa.io) };
}

it("counts COM1 to COM4, and has their ports and interrupts", () => {
  const { bench, isa, io } = pc();
  for (let n = 0; n < 4; n++) bench.device("isa-serial", {}, { id: `com${n}`, map: false });
  for (const [port, irq] of [
    [0x3f8, 4],
    [0x2f8, 3],
    [0x3e8, 4],
    [0x2e8, 3],
  ] as const) {
    io.write(port + 7, 1, 0x5a);
    expect(io.read(port + 7, 1)).toBe(0x5a);
    expect(isa.level(irq)).toBe(false);
    io.write(port + 1, 1, 2); // the transmitter is empty: an interrupt at once
    expect(isa.level(irq)).toBe(true);
    io.write(port + 1, 1, 0);
  }
  expect(() => bench.device("isa-serial", {}, { id: "com5", map: false })).toThrow(/4 serial ports/);
});

it("takes ports and interrupt of the user's choice", () => {
  const { bench, isa, io } = pc();
  const device = bench.device("isa-serial", { index: 1, iobase: 0x3220, irq: 10 }, { map: false });
  io.write(0x3221, 1, 2);
  expect([io.read(0x2fd, 1), io.read(0x3225, 1), isa.level(10)]).toEqual([0, 0x60, true]);
  device.unrealize();
  expect([io.read(0x3225, 1), isa.level(10)]).toEqual([0, false]);
});
