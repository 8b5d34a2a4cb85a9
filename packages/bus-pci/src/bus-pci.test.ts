import type { Device } from "@mimus/machine-core";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import packageJson from "../package.json" with { type: "json" };
import plugin, { COMMAND, ECAM_SIZE, pciDevice, PciFunction, REG } from "./index.ts";
import type { PciHost, PciProps } from "./index.ts";

/** A function with one BAR of each kind, MSI-X, and an interrupt register at offset 0 of its memory BAR. */
class Toy {
  readonly f: PciFunction;
  value = 0;
  constructor(f: PciFunction) {
    this.f = f;
  }
  read(offset: number): number {
    return offset === 0 ? this.value : 0x5a5a5a5a;
  }
  write(offset: number, _size: number, value: number): void {
    if (offset === 0) this.f.setIntx(((this.value = value) & 1) !== 0);
    if (offset === 8) this.f.msix?.notify(value);
    if (offset === 12) this.f.msi?.notify(value);
  }
}
const toy = defineDevice({
  name: "toy-pci",
  parent: pciDevice,
  summary: "a PCI device for tests",
  props: z.strictObject({}),
  realize(props, dev) {
    const p = props as unknown as PciProps;
    const f = new PciFunction(
      dev,
      { vendor: 0x1234, device: 0x5678, class: 0x020000, pin: 1 },
      { multifunction: p.multifunction },
    );
    const chip = new Toy(f);
    f.addBar(0, dev.region("regs", chip, { size: 0x1000 }), { kind: "mem32" });
    f.addBar(2, dev.region("ports", chip, { size: 0x20 }), { kind: "io" });
    f.addBar(4, dev.region("big", chip, { size: 0x4000 }), { kind: "mem64", prefetch: true });
    f.addMsix({ vectors: 4, bar: 1 });
    f.addMsi({ vectors: 4, wide: true, masks: true });
    f.seal();
    return chip;
  },
});

const ECAM = 0x3000_0000;
const MMIO = 0x4000_0000;
const PIO = 0x0300_0000;
const HIGH = 0x4_0000_0000;

function setup() {
  const bench = new Bench({ plugins: [plugin], types: [toy] });
  const { root } = bench.machine.system;
  const host = bench.device("gpex-pcihost", {}, { map: false });
  const [ecam, memory, io] = host.regions;
  root.add(ECAM, ecam!);
  root.add(MMIO, MemoryRegion.alias("mmio", memory!, MMIO, 0x4000_0000));
  root.add(HIGH, MemoryRegion.alias("high", memory!, HIGH, HIGH));
  root.add(PIO, MemoryRegion.alias("pio", io!, 0, 0x10000));
  const s = bench.machine.system;
  const at = (devfn: number, reg: number, bus = 0): number => ECAM + bus * 0x100000 + devfn * 0x1000 + reg;
  return {
    bench,
    host,
    s,
    get: (devfn: number, reg: number, size: 1 | 2 | 4 = 4, bus = 0) => s.read(at(devfn, reg, bus), size),
    set: (devfn: number, reg: number, value: number, size: 1 | 2 | 4 = 4, bus = 0) =>
      s.write(at(devfn, reg, bus), size, value),
    add: (props: Record<string, unknown> = {}, bus?: string): Device => {
      const d = bench.machine.createDevice("toy-pci", props, { realize: true, ...(bus === undefined ? {} : { bus }) });
      bench.machine.reset();
      return d;
    },
    lines: () => [0, 1, 2, 3].map((n) => host.irqOut("sysbus-irq", n).level),
  };
}

testManifest(packageJson, plugin);
for (const type of plugin.types.filter((t) => !t.abstract && t.name !== "gpex-pcihost" && t.name !== "gpex-root"))
  testDevice(type, { plugins: [plugin], setup: (_m, b) => void b.device("gpex-pcihost") });
testDevice(toy, { plugins: [plugin], setup: (_m, b) => void b.device("gpex-pcihost") });

describe("configuration space", () => {
  it("answers ones where nothing is, and ids where something is", () => {
    const { get, add } = setup();
    add();
    expect(get(8, 0)).toBe(0x56781234);
    expect(get(0, 0)).toBe(0x00081b36);
    expect([get(16, 0), get(9, 0, 2), get(8, 0, 4, 7)]).toEqual([0xffffffff, 0xffff, 0xffffffff]);
    expect(get(8, 8)).toBe(0x02000000);
  });

  it("places devices by addr, and refuses a place that is taken", () => {
    const { get, add } = setup();
    add({ addr: "5" });
    add({ addr: "0x1f.0x7" });
    add({ addr: "6.0", multifunction: true });
    add({ addr: "06.1" });
    expect([get(0x28, 0, 2), get(0xff, 0, 2), get(0x31, 0, 2), get(0x30, REG.HEADER, 1)]).toEqual([
      0x1234, 0x1234, 0x1234, 0x80,
    ]);
    expect(() => add({ addr: "5.0" })).toThrow(/already used/);
    expect(() => add({ addr: "5.1" })).toThrow(/not multifunction/);
    expect(() => add({ addr: "20" })).toThrow(/slot 0..1f/);
    for (let i = 0; i < 28; i++) add();
    expect(() => add()).toThrow(/full/);
  });

  it("sizes BARs and maps them where the guest says, while decoding is on", () => {
    const { s, get, set, add } = setup();
    add();
    const d = 8;
    for (const [bar, size] of [
      [0, 0xfffff000],
      [2, 0xffffffe1],
      [4, 0xffffc00c],
      [5, 0xffffffff],
    ] as const) {
      set(d, REG.BAR0 + 4 * bar, 0xffffffff);
      expect(get(d, REG.BAR0 + 4 * bar)).toBe(size);
    }
    set(d, REG.BAR0, MMIO + 0x10000);
    set(d, REG.BAR0 + 8, 0x1000);
    set(d, REG.BAR0 + 16, 0);
    set(d, REG.BAR0 + 20, 4);
    expect(s.read(MMIO + 0x10004, 4)).toBe(0);
    set(d, REG.COMMAND, COMMAND.MEMORY | COMMAND.IO, 2);
    expect([s.read(MMIO + 0x10004, 4), s.read(PIO + 0x1004, 4), s.read(HIGH + 4, 4)]).toEqual([
      0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a,
    ]);
    set(d, REG.BAR0, MMIO + 0x20000);
    expect([s.read(MMIO + 0x10004, 4), s.read(MMIO + 0x20004, 4)]).toEqual([0, 0x5a5a5a5a]);
    set(d, REG.COMMAND, 0, 2);
    expect(s.read(MMIO + 0x20004, 4)).toBe(0);
  });

  it("does not show BARs over RAM", () => {
    const { s, set, add } = setup();
    add();
    set(8, REG.BAR0, 0x8000_0000);
    set(8, REG.COMMAND, 7, 2);
    expect(s.read(0x8000_0004, 4)).toBe(0);
    s.write(0x8000_0004, 4, 77);
    expect(s.read(0x8000_0004, 4)).toBe(77);
  });

  it("shares interrupt lines by slot, and honours the disable bit", () => {
    const { s, set, get, add, lines } = setup();
    for (let i = 0; i < 5; i++) {
      add();
      set((i + 1) << 3, REG.BAR0, MMIO + i * 0x1000);
      set((i + 1) << 3, REG.COMMAND, COMMAND.MEMORY, 2);
    }
    // adding a device resets the machine: set them up now
    for (let i = 0; i < 5; i++) {
      set((i + 1) << 3, REG.BAR0, MMIO + i * 0x1000);
      set((i + 1) << 3, REG.COMMAND, COMMAND.MEMORY, 2);
    }
    s.write(MMIO, 4, 1);
    s.write(MMIO + 4 * 0x1000, 4, 1);
    expect(lines()).toEqual([false, true, false, false]);
    s.write(MMIO, 4, 0);
    expect(lines()[1]).toBe(true);
    expect(get(0x28, REG.STATUS, 2) & 8).toBe(8);
    set(0x28, REG.COMMAND, COMMAND.MEMORY | COMMAND.INTX_OFF, 2);
    expect(lines()[1]).toBe(false);
    set(0x28, REG.COMMAND, COMMAND.MEMORY, 2);
    expect(lines()[1]).toBe(true);
    s.write(MMIO + 4 * 0x1000, 4, 0);
    expect(lines()).toEqual([false, false, false, false]);
  });

  it("sends MSI messages, and holds masked ones", () => {
    const { s, set, get, add } = setup();
    const { at } = (add().impl as Toy).f.msi!;
    expect(get(8, at) & 0xffff00ff).toBe(0x1840005);
    set(8, REG.BAR0, MMIO);
    set(8, REG.COMMAND, COMMAND.MEMORY | COMMAND.MASTER, 2);
    set(8, at + 4, 0x8000_1003);
    set(8, at + 12, 0xcafe, 2);
    s.write(MMIO + 12, 4, 1);
    expect(s.read(0x8000_1000, 4)).toBe(0);
    set(8, at + 2, 0x21, 2); // four vectors granted
    s.write(MMIO + 12, 4, 1);
    expect([get(8, at + 4), s.read(0x8000_1000, 4)]).toEqual([0x8000_1000, 0xcafd]);
    set(8, at + 16, 8);
    s.write(MMIO + 12, 4, 3);
    expect([s.read(0x8000_1000, 4), get(8, at + 20)]).toEqual([0xcafd, 8]);
    set(8, at + 16, 0);
    expect([s.read(0x8000_1000, 4), get(8, at + 20)]).toEqual([0xcaff, 0]);
    s.write(MMIO + 12, 4, 4);
    expect(s.read(0x8000_1000, 4)).toBe(0xcaff);
  });

  it("sends MSI-X messages, and holds masked ones", () => {
    const { s, set, get, add } = setup();
    const d = add();
    const cap = (d.impl as Toy).f.msix!.at;
    expect(get(8, cap) & 0x7ff00ff).toBe(0x30011);
    set(8, REG.BAR0, MMIO);
    set(8, REG.BAR0 + 4, MMIO + 0x10000);
    set(8, REG.COMMAND, COMMAND.MEMORY | COMMAND.MASTER, 2);
    const entry = MMIO + 0x10000 + 32;
    s.write(entry, 4, 0x8000_1000);
    s.write(entry + 8, 4, 0xcafe);
    s.write(MMIO + 8, 4, 2);
    expect(s.read(0x8000_1000, 4)).toBe(0);
    set(8, cap + 2, 0x8000, 2);
    s.write(MMIO + 8, 4, 2);
    expect([s.read(0x8000_1000, 4), s.read(MMIO + 0x10000 + 2048, 4)]).toEqual([0, 4]);
    s.write(entry + 12, 4, 0);
    expect([s.read(0x8000_1000, 4), s.read(MMIO + 0x10000 + 2048, 4)]).toEqual([0xcafe, 0]);
    s.write(MMIO + 8, 4, 99);
  });
});

describe("bridges", () => {
  it("reach devices behind them: configuration, windows, interrupts", () => {
    const { bench, s, set, get, lines } = setup();
    bench.machine.createDevice("pcie-root-port", { addr: "2" }, { id: "rp0", realize: true });
    bench.machine.createDevice("toy-pci", {}, { bus: "rp0", realize: true });
    bench.machine.reset();
    const rp = 2 << 3;
    expect([get(rp, 0), get(rp, REG.HEADER, 1)]).toEqual([0x000c1b36, 1]);
    set(rp, 0x18, 0x00010100);
    expect(get(0, 0, 4, 1)).toBe(0x56781234);
    expect(get(0, 0x100, 4, 1)).toBe(0);
    set(0, REG.BAR0, MMIO + 0x200000, 4, 1);
    set(0, REG.COMMAND, COMMAND.MEMORY, 2, 1);
    expect(s.read(MMIO + 0x200004, 4)).toBe(0);
    set(rp, 0x20, ((MMIO + 0x200000) >>> 16) | (MMIO + 0x200000), 4);
    set(rp, REG.COMMAND, COMMAND.MEMORY | COMMAND.MASTER, 2);
    expect(s.read(MMIO + 0x200004, 4)).toBe(0x5a5a5a5a);
    s.write(MMIO + 0x200000, 4, 1);
    expect(lines()).toEqual([false, false, true, false]);
    bench.machine.reset();
    expect([lines()[2], get(0, 0, 4, 1)]).toEqual([false, 0xffffffff]);
    expect(() => bench.machine.createDevice("toy-pci", { addr: "1" }, { bus: "rp0", realize: true })).toThrow(/1 slot/);
  });

  it("find nothing when the guest makes bus numbers loop", () => {
    const { bench, set, get } = setup();
    bench.machine.createDevice("pci-bridge", {}, { id: "b0", realize: true });
    bench.machine.createDevice("pci-bridge", {}, { id: "b1", bus: "b0", realize: true });
    bench.machine.reset();
    set(8, 0x18, 0x00ff0000);
    for (let bus = 0; bus < 256; bus++) get(8, 0, 4, bus);
    set(8, 0x18, 0x00ff0101);
    set(8, 0x18, 0x00ff0101, 4, 1);
    for (let bus = 0; bus < 256; bus++) get(8, 0, 4, bus);
  });
});

describe("a hostile guest", () => {
  it("writes anything anywhere in configuration space of every function", () => {
    const { s, bench, add, host } = setup();
    for (let i = 0; i < 3; i++) add();
    bench.machine.createDevice("pcie-root-port", {}, { id: "rp", realize: true });
    bench.machine.createDevice("toy-pci", {}, { bus: "rp", realize: true });
    let seed = 1;
    const rnd = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
    const values = [0, 0xffffffff, 0x80000000, 0x40000000, 4, 1];
    for (let i = 0; i < 20000; i++) {
      const devfn = ((rnd() >>> 8) % 6) << 3;
      const bus = i % 7 === 0 ? 1 : 0;
      const size = [1, 2, 4][(rnd() >>> 8) % 3] as 1 | 2 | 4;
      const value = i % 3 === 0 ? rnd() : values[(rnd() >>> 8) % values.length]!;
      s.write(ECAM + bus * 0x100000 + devfn * 0x1000 + ((rnd() >>> 8) % (0x40 / size)) * size, size, value);
    }
    expect((host.impl as PciHost).bus.functions.size).toBe(5);
    expect(s.read(ECAM, 4)).toBe(0x00081b36);
    expect(s.read(ECAM + ECAM_SIZE - 4, 4)).toBe(0xffffffff);
    bench.machine.reset();
    expect(s.read(ECAM + 0x8000 + REG.BAR0, 4)).toBe(0);
  });

  it("saves and loads, and a saved state changes only what a guest may change", () => {
    const a = setup();
    a.add();
    a.set(8, REG.BAR0, MMIO);
    a.set(8, REG.COMMAND, COMMAND.MEMORY, 2);
    a.s.write(MMIO, 4, 1);
    const b = setup();
    const d = b.add();
    b.bench.machine.loadState(a.bench.machine.saveState());
    expect([b.s.read(MMIO + 4, 4), b.lines()]).toEqual([0x5a5a5a5a, [false, true, false, false]]);
    (d.impl as Toy).f.config.load({ stateVersion: 1, bytes: new Uint8Array(4096).fill(0xff) });
    expect(b.get(8, 0)).toBe(0x56781234);
    expect(b.get(8, REG.HEADER, 1)).toBe(0);
  });
});
