import { Bench } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import type { IoApic } from "../ioapic-chip.ts";
import { ioapic } from "../ioapic.ts";
import { apic } from "./apic.ts";
import type { LocalApicChip } from "./local-apic.ts";

const REG = { ID: 0x20, VERSION: 0x30, TPR: 0x80, PPR: 0xa0, EOI: 0xb0, LDR: 0xd0, DFR: 0xe0, SVR: 0xf0, ISR: 0x100, IRR: 0x200, ESR: 0x280, ICR: 0x300, ICR2: 0x310, LVTT: 0x320, LINT0: 0x350, LINT1: 0x360, LVTERR: 0x370, INITIAL: 0x380, CURRENT: 0x390, DIVIDE: 0x3e0 } as const; // prettier-ignore
const MSI = 0xfee0_0000;

function machine(cpus = 2) {
  const bench = new Bench({ types: [apic, ioapic] });
  const { system } = bench.machine;
  const log: string[] = [];
  const chips = Array.from({ length: cpus }, (_, id) => {
    const device = bench.machine.createDevice("apic", { id }, { realize: true });
    const chip = device.impl as LocalApicChip;
    chip.connect({
      intr: (level) => log.push(`${id}:intr${level ? "+" : "-"}`),
      nmi: (level) => level && log.push(`${id}:nmi`),
      smi: (level) => level && log.push(`${id}:smi`),
      init: () => log.push(`${id}:init`),
      sipi: (vector) => log.push(`${id}:sipi ${vector}`),
    });
    return chip;
  });
  const io = bench.device("ioapic", {}, { map: false });
  system.root.add(0xfec0_0000, io.regions[0]!);
  bench.machine.reset();
  const get = (reg: number, cpu = 0): number => system.read(chips[cpu]!.page + reg, 4);
  const set = (reg: number, value: number, cpu = 0): void => system.write(chips[cpu]!.page + reg, 4, value);
  for (let cpu = 0; cpu < cpus; cpu++) set(REG.SVR, 0x1ff, cpu);
  log.length = 0;
  return {
    bench,
    system,
    chips,
    log,
    get,
    set,
    take: () => log.splice(0),
    ioapic: io.impl as IoApic,
    pin: (n: number, level: boolean) => io.irqIn("gsi", n)(level),
    entry: (n: number, low: number, high = 0) => {
      system.write(0xfec0_0000, 4, 0x11 + 2 * n);
      system.write(0xfec0_0010, 4, high);
      system.write(0xfec0_0000, 4, 0x10 + 2 * n);
      system.write(0xfec0_0010, 4, low);
    },
    lowWord: (n: number) => (system.write(0xfec0_0000, 4, 0x10 + 2 * n), system.read(0xfec0_0010, 4)),
  };
}

describe("priorities", () => {
  it("delivers the highest vector above the processor's priority", () => {
    const m = machine();
    system(m, 0x41);
    system(m, 0x62);
    expect([m.take(), m.chips[0]!.acknowledge()]).toEqual([["0:intr+"], 0x62]);
    expect([m.take(), m.get(REG.PPR), m.get(REG.ISR + 0x30), m.get(REG.IRR + 0x20)]).toEqual([["0:intr-"], 0x60, 4, 2]);
    expect(m.chips[0]!.acknowledge()).toBe(-1);
    m.set(REG.EOI, 0);
    expect([m.take(), m.chips[0]!.acknowledge()]).toEqual([["0:intr+"], 0x41]);
  });

  it("holds back what the task priority masks", () => {
    const m = machine();
    m.chips[0]!.tpr = 5;
    expect(m.get(REG.TPR)).toBe(0x50);
    system(m, 0x5f);
    expect(m.take()).toEqual([]);
    m.set(REG.TPR, 0x4f);
    expect([m.take(), m.chips[0]!.tpr]).toEqual([["0:intr+"], 4]);
    m.set(REG.TPR, 0xff);
    expect([m.take(), m.chips[0]!.acknowledge()]).toEqual([["0:intr-"], -1]);
  });

  it("takes nothing while it is disabled, and refuses vectors below 16", () => {
    const m = machine();
    m.set(REG.LVTERR, 0xee);
    system(m, 5);
    expect(m.chips[0]!.acknowledge()).toBe(0xee);
    m.set(REG.ESR, 0);
    expect(m.get(REG.ESR)).toBe(0x40);
    m.set(REG.SVR, 0xff);
    system(m, 0x50);
    expect([m.get(REG.IRR + 0x20), m.get(REG.LVTERR)]).toEqual([0, 0x100ee]);
  });

  function system(m: ReturnType<typeof machine>, vector: number): void {
    m.system.write(MSI, 4, vector);
  }
});

describe("interprocessor interrupts", () => {
  it("go by id, to all, to others, to itself", () => {
    const m = machine(3);
    m.set(REG.ICR2, 1 << 24);
    m.set(REG.ICR, 0x40);
    expect(m.take()).toEqual(["1:intr+"]);
    m.set(REG.ICR, 0xc0041);
    expect(m.take()).toEqual(["2:intr+"]);
    m.set(REG.ICR, 0x40042);
    expect(m.take()).toEqual(["0:intr+"]);
    m.set(REG.ICR2, 0xff00_0000);
    m.set(REG.ICR, 0x80);
    expect([0, 1, 2].map((n) => m.chips[n]!.acknowledge())).toEqual([0x80, 0x80, 0x80]);
  });

  it("start processors, and send NMI and SMI", () => {
    const m = machine(2);
    m.set(REG.ICR, 0xc4500);
    m.set(REG.ICR, 0xc8500);
    m.set(REG.ICR, 0xc4608);
    m.set(REG.ICR2, 1 << 24);
    m.set(REG.ICR, 0x4400);
    m.set(REG.ICR, 0x4200);
    expect(m.take()).toEqual(["1:init", "1:sipi 8", "1:nmi", "1:smi"]);
  });

  it("go to logical destinations, flat and by clusters", () => {
    const m = machine(3);
    for (const [cpu, id] of [1, 2, 4].entries()) m.set(REG.LDR, id << 24, cpu);
    m.set(REG.ICR2, 0x0600_0000);
    m.set(REG.ICR, 0x851);
    expect(m.take()).toEqual(["1:intr+", "2:intr+"]);
    for (const [cpu, id] of [0x11, 0x12, 0x21].entries()) {
      m.set(REG.DFR, 0x0fff_ffff, cpu);
      m.set(REG.LDR, id << 24, cpu);
    }
    m.set(REG.ICR2, 0x1300_0000);
    m.set(REG.ICR, 0x861);
    expect(m.get(REG.IRR + 0x30, 1)).toBe(2);
    expect([m.get(REG.IRR + 0x30, 0), m.get(REG.IRR + 0x30, 2)]).toEqual([2, 0]);
  });

  it("choose the processor of the lowest priority", () => {
    const m = machine(2);
    for (const [cpu, id] of [1, 2].entries()) m.set(REG.LDR, id << 24, cpu);
    m.set(REG.TPR, 0x20, 0);
    m.set(REG.ICR2, 0x0300_0000);
    m.set(REG.ICR, 0x951);
    expect(m.take()).toEqual(["1:intr+"]);
  });
});

describe("timer", () => {
  it("counts down once", () => {
    const m = machine(1);
    m.set(REG.DIVIDE, 0xb);
    m.set(REG.LVTT, 0x31);
    m.set(REG.INITIAL, 1000);
    m.bench.advance(400);
    expect(m.get(REG.CURRENT)).toBe(600);
    m.bench.advance(600);
    expect([m.take(), m.chips[0]!.acknowledge(), m.get(REG.CURRENT)]).toEqual([["0:intr+"], 0x31, 0]);
    m.set(REG.EOI, 0);
    m.take();
    m.bench.advance(1e6);
    expect(m.take()).toEqual([]);
  });

  it("counts periods, and stops when it is told so", () => {
    const m = machine(1);
    m.set(REG.LVTT, 0x20031);
    m.set(REG.INITIAL, 500);
    for (let i = 0; i < 3; i++) {
      m.bench.advance(1000);
      expect(m.chips[0]!.acknowledge()).toBe(0x31);
      m.set(REG.EOI, 0);
    }
    m.set(REG.INITIAL, 0);
    m.bench.advance(1e6);
    expect(m.chips[0]!.acknowledge()).toBe(-1);
  });

  it("waits for the time stamp counter", () => {
    const m = machine(1);
    m.chips[0]!.deadlineOf = (lo) => lo / 2;
    m.set(REG.LVTT, 0x40031);
    expect(m.chips[0]!.writeMsr(0x6e0, 2000, 0)).toBe(true);
    const out = new Uint32Array(2);
    m.chips[0]!.readMsr(0x6e0, out);
    expect([...out]).toEqual([2000, 0]);
    m.bench.advance(999);
    expect(m.take()).toEqual([]);
    m.bench.advance(1);
    m.chips[0]!.readMsr(0x6e0, out);
    expect([m.take(), [...out]]).toEqual([["0:intr+"], [0, 0]]);
  });
});

describe("8259s", () => {
  it("interrupt through LINT0, or around an APIC that is off", () => {
    const m = machine(1);
    const chip = m.chips[0]!;
    chip.setPic({ acknowledge: () => 0x08 });
    chip.extInt(true);
    expect(m.take()).toEqual([]);
    m.set(REG.LINT0, 0x8700);
    expect([m.take(), chip.acknowledge()]).toEqual([["0:intr+"], 0x08]);
    chip.extInt(false);
    expect(m.take()).toEqual(["0:intr-"]);
    m.set(REG.LINT0, 0x10700);
    chip.extInt(true);
    expect(m.take()).toEqual([]);
    expect(chip.writeBase(MSI + 0x100, 0)).toBe(true);
    expect(m.take()).toEqual(["0:intr+"]);
  });

  it("NMI comes by LINT1", () => {
    const m = machine(1);
    m.chips[0]!.lint1(true);
    expect(m.take()).toEqual([]);
    m.chips[0]!.lint1(false);
    m.set(REG.LINT1, 0x400);
    m.chips[0]!.lint1(true);
    expect(m.take()).toEqual(["0:nmi"]);
  });
});

describe("I/O APIC", () => {
  it("sends edges once, and drops those at masked inputs", () => {
    const m = machine(2);
    m.pin(4, true);
    m.pin(4, false);
    m.entry(4, 0x44, 1 << 24);
    expect(m.take()).toEqual([]);
    m.pin(4, true);
    expect([m.take(), m.chips[1]!.acknowledge()]).toEqual([["1:intr+"], 0x44]);
    m.set(REG.EOI, 0, 1);
    m.pin(4, false);
    m.take();
    m.pin(4, true);
    expect(m.take()).toEqual(["1:intr+"]);
  });

  it("waits for the end of a level-triggered interrupt, then sends it again while it is held", () => {
    const m = machine(1);
    m.entry(10, 0x805a);
    m.pin(10, true);
    expect([m.chips[0]!.acknowledge(), m.lowWord(10)]).toEqual([0x5a, 0xc05a]);
    expect(m.get(0x180 + 0x20)).toBe(1 << 26);
    m.set(REG.EOI, 0);
    expect([m.chips[0]!.acknowledge(), m.lowWord(10)]).toEqual([0x5a, 0xc05a]);
    m.pin(10, false);
    m.set(REG.EOI, 0);
    expect([m.chips[0]!.acknowledge(), m.lowWord(10)]).toEqual([-1, 0x805a]);
  });

  it("has an EOI register, and 24 entries", () => {
    const m = machine(1);
    m.system.write(0xfec0_0000, 4, 1);
    expect(m.system.read(0xfec0_0010, 4)).toBe(0x170020);
    m.entry(3, 0x8055);
    m.pin(3, true);
    m.system.write(0xfec0_0040, 4, 0x55);
    expect(m.lowWord(3)).toBe(0xc055);
    m.pin(3, false);
    m.system.write(0xfec0_0040, 4, 0x55);
    expect(m.lowWord(3)).toBe(0x8055);
  });
});

describe("x2APIC", () => {
  const out = new Uint32Array(2);
  const read = (chip: LocalApicChip, msr: number): number | undefined => (chip.readMsr(msr, out) ? out[0]! : undefined);

  it("is entered from xAPIC mode only, and left through off", () => {
    const m = machine(1);
    const chip = m.chips[0]!;
    expect([read(chip, 0x802), chip.writeBase(MSI + 0x500, 0)]).toEqual([undefined, false]);
    expect(chip.writeBase(MSI + 0xd00, 0)).toBe(true);
    expect([read(chip, 0x1b), read(chip, 0x802), read(chip, 0x80d)]).toEqual([MSI + 0xd00, 0, 1]);
    expect([chip.writeBase(MSI + 0x900, 0), chip.writeBase(MSI + 0x100, 0), chip.writeBase(MSI + 0xd00, 0)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("sends by 32-bit ids, to clusters and to itself", () => {
    const m = machine(3);
    for (const chip of m.chips) chip.writeBase(MSI + 0xd00, 0);
    const [a] = m.chips as [LocalApicChip, ...LocalApicChip[]];
    expect(a.writeMsr(0x830, 0x40, 2)).toBe(true);
    expect(m.take()).toEqual(["2:intr+"]);
    a.writeMsr(0x830, 0x841, 0b011);
    expect(m.take()).toEqual(["0:intr+", "1:intr+"]);
    a.writeMsr(0x830, 0x80, 0xffff_ffff);
    expect(m.chips.map((c) => c.acknowledge())).toEqual([0x80, 0x80, 0x80]);
    a.writeMsr(0x83f, 0x99, 0);
    expect([a.acknowledge(), read(a, 0x83f)]).toEqual([0x99, undefined]);
    expect([a.writeMsr(0x80b, 1, 0), a.writeMsr(0x80b, 0, 0), a.writeMsr(0x808, 0x100, 0)]).toEqual([
      false,
      true,
      false,
    ]);
    expect([a.writeMsr(0x802, 1, 0), read(a, 0x80e), read(a, 0x831)]).toEqual([false, undefined, undefined]);
  });
});

it("tells its registers", () => {
  const text = machine(1).chips[0]!.inspect["lapic"]!();
  expect(text.split("\n").slice(0, 3)).toEqual([
    "dumping local APIC state for CPU 0 ",
    "",
    "LVT0\t 0x00010000 active-hi edge  masked                      Fixed  (vec 0)",
  ]);
});
