import busIsa from "@mimus/bus-isa";
import busPci, { PciBus, type PciFunction, type PciHost } from "@mimus/bus-pci";
import type { Device } from "@mimus/machine-core";
import { Bench, BENCH_RAM, testDevice } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import plugin, { edu, i6300esb, ib700, pvpanic, pvpanicPci } from "../index.ts";

const pci = { plugins: [busPci], setup: (_m: unknown, b: Bench) => void b.device("gpex-pcihost", {}, { map: false }) };
const isa = { plugins: [busIsa], setup: (_m: unknown, b: Bench) => void b.device("isabus-bridge") };
testDevice(edu, pci);
testDevice(pvpanicPci, pci);
testDevice(i6300esb, { ...pci, without: ["reset"] }); // that it has bitten stays known
testDevice(pvpanic, isa);
testDevice(ib700, isa);

function bench(type: string, props: Record<string, unknown> = {}) {
  const b = new Bench({ plugins: [busPci, busIsa, plugin] });
  b.device("isabus-bridge");
  const host = b.device("gpex-pcihost", {}, { map: false });
  const device: Device = b.device(type, props, { id: "dut" });
  b.machine.reset();
  const asked: unknown[] = [];
  for (const event of ["reset-request", "shutdown-request", "stop-request", "nmi-request", "powerdown-request"])
    b.machine.on(event, (...args: unknown[]) => asked.push([event, ...args]));
  const bus = (host.impl as PciHost).bus;
  expect(bus).toBeInstanceOf(PciBus);
  const config = (): PciFunction["config"] => bus.find(0, 0, 8)!.config;
  const base = b.base(device);
  return {
    b,
    device,
    asked,
    config,
    io: b.machine.io!,
    get: (at: number, size: 1 | 2 | 4 = 4) => b.machine.system.read(base + at, size),
    set: (at: number, value: number, size: 1 | 2 | 4 = 4) => b.machine.system.write(base + at, size, value),
    host,
  };
}

describe("edu", () => {
  it("inverts, multiplies and interrupts", () => {
    const d = bench("edu");
    d.set(4, 0x1234_5678);
    expect([d.get(0), d.get(4), d.get(1, 1)]).toEqual([0x010000ed, 0xedcb_a987, 0xff]);
    d.set(0x20, 0x80);
    d.set(8, 10);
    expect([d.get(8), d.get(0x24)]).toEqual([3_628_800, 1]);
    expect(d.config().view.getUint16(6, true) & 8).toBe(8);
    d.set(0x64, 1);
    expect([d.get(0x24), d.config().view.getUint16(6, true) & 8]).toEqual([0, 0]);
    d.set(8, 0xffff_ffff);
    expect(d.get(8)).toBe(0);
  });

  it("moves memory to and fro, and nothing outside its own", () => {
    const d = bench("edu", { dma_mask: 2 ** 32 - 1 });
    const s = d.b.machine.system;
    s.write(BENCH_RAM, 4, 0xcafe_babe);
    const transfer = (source: number, target: number, count: number, command: number): void => {
      d.set(0x80, source);
      d.set(0x88, target);
      d.set(0x90, count);
      d.set(0x98, command);
      d.b.advance(2e8);
    };
    transfer(BENCH_RAM, 0x40010, 4, 5);
    expect([d.get(0x24), d.get(0x98) & 1]).toEqual([0x100, 0]);
    transfer(0x40010, BENCH_RAM + 64, 4, 3);
    expect(s.read(BENCH_RAM + 64, 4)).toBe(0xcafe_babe);
    transfer(0x40ff0, BENCH_RAM + 128, 64, 3);
    expect([s.read(BENCH_RAM + 128, 4), d.b.log.length]).toEqual([0, 1]);
  });
});

describe("pvpanic", () => {
  it("tells that the guest has panicked", () => {
    const d = bench("pvpanic");
    expect(d.io.read(0x505, 1)).toBe(3);
    d.io.write(0x505, 1, 2);
    expect(d.asked).toEqual([]);
    d.io.write(0x505, 1, 1);
    expect(d.asked).toEqual([["shutdown-request", "guest-panic", 0]]);
  });
});

describe("watchdogs", () => {
  it("ib700 bites when it is not fed", () => {
    const d = bench("ib700");
    d.io.write(0x443, 1, 10);
    d.b.advance(9e9);
    d.io.write(0x443, 1, 10);
    d.b.advance(9e9);
    expect(d.asked).toEqual([]);
    d.b.advance(1e9);
    expect(d.asked).toEqual([["reset-request", "guest"]]);
    d.io.write(0x443, 1, 0);
    d.io.write(0x441, 1, 0);
    d.b.advance(60e9);
    expect(d.asked).toEqual([["reset-request", "guest"]]);
  });

  it("do what the user chose", () => {
    const d = bench("ib700");
    const policy = { action: "poweroff" };
    d.b.machine.registerBackend("watchdog", "action", policy);
    d.io.write(0x443, 1, 15);
    d.b.advance(1);
    for (const action of ["shutdown", "inject-nmi", "pause", "debug", "none"]) {
      policy.action = action;
      d.io.write(0x443, 1, 15);
      d.b.advance(1);
    }
    expect(d.asked).toEqual([
      ["shutdown-request", "host-quit", 0],
      ["powerdown-request"],
      ["nmi-request"],
      ["stop-request", "watchdog"],
    ]);
  });

  it("i6300esb has two stages, and registers that must be unlocked", () => {
    const d = bench("i6300esb");
    const preload = (at: number, value: number): void => {
      d.set(0x0c, 0x80, 1);
      d.set(0x0c, 0x86, 1);
      d.set(at, value);
    };
    d.set(0, 5);
    preload(0, 1000);
    preload(4, 1000);
    d.config().write(0x68, 1, 2);
    expect(d.config().read(0x68, 1)).toBe(2);
    const stage = 1000 * 2 ** 15 * 30;
    d.b.advance(1.5 * stage);
    preload(0x0c, 0x100);
    d.b.advance(1.9 * stage);
    expect([d.asked, d.get(0x0c, 2)]).toEqual([[], 0]);
    d.b.advance(0.2 * stage);
    expect([d.asked.length, d.get(0x0c, 2), d.config().read(0x68, 1)]).toEqual([1, 0x1200, 0]);
    d.config().write(0x68, 1, 1);
    d.config().write(0x68, 1, 2);
    expect(d.config().read(0x68, 1)).toBe(1);
  });
});
