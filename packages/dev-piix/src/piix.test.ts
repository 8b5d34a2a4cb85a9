import busIsa from "@mimus/bus-isa";
import busPci from "@mimus/bus-pci";
import type { Device } from "@mimus/machine-core";
import { MemoryRegion } from "@mimus/machine-core";
import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { i440fxHost, type I440FxHost, piix3, piix4Pm, type PowerManagement, smbusEeprom } from "./index.ts";

const plugins = [busIsa, busPci, plugin];
const host = (_m: unknown, b: Bench): void => void b.device("i440FX-pcihost", {}, { map: false });
testManifest(packageJson, plugin);
testDevice(i440fxHost, { plugins });
testDevice(piix3, { plugins, setup: host });
testDevice(piix4Pm, { plugins, setup: host, props: { smb_io_base: 0xb100 } });
testDevice(smbusEeprom, {
  plugins,
  props: { address: 0x50 },
  setup: (m, b) => {
    host(m, b);
    b.machine.createDevice("PIIX4_PM", { addr: "1.3" }, { realize: true });
  },
  // Its contents stay.
  without: ["reset"],
});

function pc() {
  const bench = new Bench({ plugins });
  const { machine } = bench;
  const io = machine.io!;
  const dev = bench.device("i440FX-pcihost", {}, { map: false });
  const impl = dev.impl as I440FxHost;
  const ram = MemoryRegion.ram("pc.ram", machine.memory.ram("pc.ram", 0x10_0000));
  const rom = machine.memory.ram("pc.rom", 0x2_0000);
  rom.bytes.fill(0x55);
  machine.system.root.add(0, MemoryRegion.alias("below", ram, 0, 0x10_0000));
  machine.system.root.add(0, impl.pciMemory, -1);
  impl.pciMemory.add(0xe_0000, MemoryRegion.rom("bios", rom), 1);
  impl.attachRam(ram, machine.system.root);
  const isa = machine.createDevice("PIIX3", { addr: "1", multifunction: true }, { realize: true });
  const pm = machine.createDevice("PIIX4_PM", { addr: "1.3", smb_io_base: 0xb100 }, { realize: true });
  machine.reset();
  const config = (devfn: number, at: number): void => io.write(0xcf8, 4, 0x8000_0000 + devfn * 256 + (at & 0xfc));
  return {
    bench,
    io,
    machine,
    isa,
    impl,
    pm,
    get: (devfn: number, at: number, size: 1 | 2 | 4 = 4) => (config(devfn, at), io.read(0xcfc + (at & 3), size)),
    set: (devfn: number, at: number, value: number, size: 1 | 2 | 4 = 4) => (
      config(devfn, at),
      io.write(0xcfc + (at & 3), size, value)
    ),
  };
}

describe("configuration mechanism", () => {
  it("answers with the ids of the machine pc", () => {
    const { get, io } = pc();
    expect([get(0, 0), get(8, 0), get(11, 0), get(16, 0)]).toEqual([0x12378086, 0x70008086, 0x71138086, 0xffffffff]);
    expect([get(0, 8), get(8, 8), get(11, 8)]).toEqual([0x06000002, 0x06010000, 0x06800003]);
    expect(get(8, 0x0e, 1)).toBe(0x80);
    expect(get(0, 0x2c)).toBe(0x11001af4);
    io.write(0xcf8, 4, 0x0000_0000);
    expect(io.read(0xcfc, 4)).toBe(0xffffffff);
  });

  it("keeps the address beside the reset register", () => {
    const { io, machine } = pc();
    const resets: unknown[] = [];
    machine.on("reset-request", (...a: unknown[]) => resets.push(a));
    io.write(0xcf8, 4, 0x8000_0608);
    expect(io.read(0xcf8, 4)).toBe(0x8000_0608);
    expect([io.read(0xcf9, 1), resets]).toEqual([0, []]);
    io.write(0xcf9, 1, 2);
    io.write(0xcf9, 1, 6);
    expect([io.read(0xcf9, 1), resets.length]).toEqual([2, 1]);
    expect(io.read(0xcf8, 4)).toBe(0x8000_0608);
  });
});

describe("shadow memory", () => {
  it("reads and writes where the PAM registers say", () => {
    const { machine, set, get } = pc();
    const s = machine.system;
    expect(s.read(0xf_0000, 1)).toBe(0x55);
    s.write(0xf_0000, 1, 1);
    expect(s.read(0xf_0000, 1)).toBe(0x55);
    set(0, 0x59, 0x20, 1); // reads from PCI, writes to memory
    s.write(0xf_0004, 4, 0x1234_5678);
    expect(s.read(0xf_0004, 4)).toBe(0x5555_5555);
    set(0, 0x59, 0x10, 1); // reads from memory, writes nowhere
    expect([s.read(0xf_0004, 4), s.read(0xf_0000, 1)]).toEqual([0x1234_5678, 0]);
    s.write(0xf_0004, 1, 0);
    expect(s.read(0xf_0004, 4)).toBe(0x1234_5678);
    set(0, 0x59, 0x30, 1);
    s.write(0xf_0004, 1, 0);
    expect(s.read(0xf_0004, 4)).toBe(0x1234_5600);
    set(0, 0x5e, 0x03, 1);
    s.write(0xe_0000, 1, 7);
    expect([s.read(0xe_0000, 1), s.read(0xe_4000, 1)]).toEqual([7, 0x55]);
    machine.reset();
    expect([get(0, 0x59, 1), s.read(0xe_0000, 1)]).toEqual([0x30, 7]);
  });

  it("opens and locks SMRAM", () => {
    const { machine, set, get, impl } = pc();
    const s = machine.system;
    const video = machine.memory.ram("vga", 0x2_0000);
    video.bytes.fill(0x77);
    impl.pciMemory.add(0xa_0000, MemoryRegion.ram("vga", video), 1);
    expect(get(0, 0x72, 1)).toBe(2);
    expect(s.read(0xa_0000, 1)).toBe(0x77);
    set(0, 0x72, 0x4a, 1);
    s.write(0xa_0000, 1, 0x11);
    expect(s.read(0xa_0000, 1)).toBe(0x11);
    set(0, 0x72, 0x1a, 1);
    expect([s.read(0xa_0000, 1), s.read(impl.smramAt + 0xa_0000, 1)]).toEqual([0x77, 0x11]);
    set(0, 0x72, 0x4a, 1);
    expect([get(0, 0x72, 1), s.read(0xa_0000, 1)]).toEqual([0x1a, 0x77]);
  });
});

describe("interrupt routing", () => {
  it("takes pins to the ISA lines of the routing registers", () => {
    const { isa, impl, set } = pc();
    const { bus } = isa.impl as { bus: { level(n: number): boolean } };
    impl.setIrq(3, 0, true); // slot 3, pin A: PIRQC
    expect([10, 11].map((n) => bus.level(n))).toEqual([false, false]);
    set(8, 0x60, 0x0b0b_0a0a);
    expect([10, 11].map((n) => bus.level(n))).toEqual([false, true]);
    impl.setIrq(4, 0, true);
    impl.setIrq(3, 0, false);
    expect([10, 11].map((n) => bus.level(n))).toEqual([false, true]);
    set(8, 0x63, 0x8b, 1);
    expect([10, 11].map((n) => bus.level(n))).toEqual([false, false]);
  });
});

describe("power management", () => {
  const base = 0x600;
  function acpi() {
    const p = pc();
    p.set(11, 0x40, base);
    p.set(11, 0x80, 1, 1);
    return { ...p, impl: p.pm.impl as PowerManagement, line: () => (p.pm as Device).irqOut("sci").level };
  }

  it("maps its ports where the guest says", () => {
    const { io, get, set } = acpi();
    expect(get(11, 0x40)).toBe(base | 1);
    expect(io.read(base + 4, 2)).toBe(0);
    io.write(0xb2, 1, 0xf1);
    expect([io.read(base + 4, 2), io.read(0xb2, 1)]).toEqual([1, 0xf1]);
    set(11, 0x80, 0, 1);
    expect(io.read(base + 4, 2)).toBe(0);
  });

  it("interrupts for the power button until the status is cleared", () => {
    const { io, impl, line } = acpi();
    io.write(base + 2, 2, 0x100);
    impl.powerButton();
    expect([io.read(base, 2), line()]).toEqual([0x100, true]);
    io.write(base + 1, 1, 1);
    expect([io.read(base, 2), line()]).toEqual([0, false]);
  });

  it("counts the timer and tells of its overflow", () => {
    const { io, bench, line } = acpi();
    io.write(base, 2, 0xffff);
    const before = io.read(base + 8, 4);
    bench.advance(1e9);
    expect(io.read(base + 8, 4) - before).toBe(3_579_545);
    io.write(base + 2, 2, 1);
    bench.advance(2e9);
    expect([io.read(base, 2) & 1, line()]).toEqual([1, true]);
  });

  it("powers off", () => {
    const { io, machine } = acpi();
    const asked: unknown[] = [];
    machine.on("shutdown-request", (...a: unknown[]) => asked.push(a));
    io.write(base + 4, 2, 0x2001);
    expect(asked).toEqual([["guest-shutdown", 0]]);
  });

  it("reads an EEPROM over SMBus", () => {
    const { io, machine } = acpi();
    const rom = machine.createDevice("smbus-eeprom", { address: 0x50 }, { realize: true }).impl as {
      bytes: Uint8Array;
    };
    rom.bytes.set([0x80, 8, 7]);
    const read = (command: number, address = 0xa1): number[] => {
      io.write(0xb100, 1, 0x1e);
      io.write(0xb104, 1, address);
      io.write(0xb103, 1, command);
      io.write(0xb102, 1, 0x48);
      return [io.read(0xb100, 1), io.read(0xb105, 1)];
    };
    expect(read(0)).toEqual([2, 0x80]);
    expect(read(2)).toEqual([2, 7]);
    expect(read(0, 0xa3)[0]).toBe(4);
  });

  it("sends an SMI for a command when the chip set is told to", () => {
    const { io, set, pm } = acpi();
    let count = 0;
    (pm as Device).irqOut("smi-irq").tap((level) => (count += level ? 1 : 0));
    set(11, 0x5b, 0, 1);
    io.write(0xb2, 1, 5);
    set(11, 0x5b, 2, 1);
    io.write(0xb2, 1, 5);
    expect(count).toBe(1);
  });
});
