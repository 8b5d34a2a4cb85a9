import { describe, expect, it } from "vitest";
import { AddressSpace } from "./address-space.ts";
import { MachineMemory } from "./memory.ts";
import { MemoryRegion } from "./region.ts";
import type { Registers } from "./port.ts";

class Recorder implements Registers {
  readonly calls: [string, number, number, number?][] = [];
  read(offset: number, size: number): number {
    this.calls.push(["r", offset, size]);
    return [0x11223344, 0x55667788][offset >> 2] ?? offset;
  }
  write(offset: number, size: number, value: number): void {
    this.calls.push(["w", offset, size, value]);
  }
}

function space(): { root: MemoryRegion; s: AddressSpace; memory: MachineMemory } {
  const root = MemoryRegion.container("root", 2 ** 52);
  return { root, s: new AddressSpace("test", root), memory: new MachineMemory(new ArrayBuffer(1 << 20)) };
}

const shape = (s: AddressSpace): string[] =>
  s.flat.map((r) => `${r.base.toString(16)}+${r.size.toString(16)} ${r.region.name}@${r.regionOffset.toString(16)}`);

describe("flat view", () => {
  it("shows the higher priority, and of equal ones the last added", () => {
    const { root, s, memory } = space();
    root.add(0, MemoryRegion.ram("low", memory.ram("low", 0x3000)));
    root.add(0x1000, MemoryRegion.mmio({ name: "io", size: 0x800 }, new Recorder()), 1);
    expect(shape(s)).toEqual(["0+1000 low@0", "1000+800 io@0", "1800+1800 low@1800"]);
    root.add(0x1000, MemoryRegion.mmio({ name: "same", size: 0x100 }, new Recorder()), 1);
    expect(shape(s)[1]).toBe("1000+100 same@0");
    root.add(0, MemoryRegion.mmio({ name: "under", size: 0x5000 }, new Recorder()), -1);
    expect(shape(s).at(-1)).toBe("3000+2000 under@3000");
  });

  it("follows aliases of aliases, with offsets, and clips them", () => {
    const { root, s, memory } = space();
    const ram = MemoryRegion.ram("ram", memory.ram("ram", 0x4000));
    const first = MemoryRegion.alias("first", ram, 0x1000, 0x2000);
    const second = MemoryRegion.alias("second", first, 0x800, 0x10000);
    root.add(0x8000, second);
    expect(shape(s)).toEqual(["8000+1800 ram@1800"]);
    root.add(0x100000, ram);
    expect(shape(s)).toContain("100000+4000 ram@0");
    first.setEnabled(false);
    expect(shape(s)).toEqual(["100000+4000 ram@0"]);
  });

  it("clips children to their container and moves them with it", () => {
    const { root, s } = space();
    const box = MemoryRegion.container("box", 0x100);
    box.add(0x80, MemoryRegion.mmio({ name: "io", size: 0x100 }, new Recorder()));
    root.add(0x1000, box);
    expect(shape(s)).toEqual(["1080+80 io@0"]);
    box.setOffset(0x2000);
    expect(shape(s)).toEqual(["2080+80 io@0"]);
    root.remove(box);
    expect(shape(s)).toEqual([]);
  });

  it("refuses a region inside itself and a second parent", () => {
    const { root } = space();
    const a = MemoryRegion.container("a", 10);
    a.add(0, MemoryRegion.alias("loop", root, 0, 10));
    expect(() => root.add(0, a)).toThrow(/contain itself/);
    const b = MemoryRegion.container("b", 10);
    root.add(0, b);
    expect(() => a.add(0, b)).toThrow(/already in 'root'/);
  });

  it("tells listeners of a change once, and after a batch", () => {
    const { root, s } = space();
    let heard = 0;
    s.onChange(() => heard++);
    const a = MemoryRegion.mmio({ name: "a", size: 16 }, new Recorder());
    root.add(0, a);
    expect(heard).toBe(1);
    s.batch(() => {
      a.setOffset(16);
      a.setOffset(32);
      expect(s.lookup(32)?.region).toBe(a);
      a.setOffset(48);
    });
    expect(heard).toBe(2);
    a.setEnabled(true);
    expect(heard).toBe(2);
  });

  it("agrees with a slow picture of random trees", () => {
    let seed = 7;
    const rnd = (n: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
    for (let round = 0; round < 60; round++) {
      const { root, s } = space();
      const all: { region: MemoryRegion; at: number; priority: number; order: number }[] = [];
      for (let i = 0; i < 12; i++) {
        const region = MemoryRegion.mmio({ name: `r${i}`, size: 1 + rnd(40) }, new Recorder());
        const at = rnd(100);
        const priority = rnd(3) - 1;
        root.add(at, region, priority);
        all.push({ region, at, priority, order: i });
      }
      for (let addr = 0; addr < 150; addr++) {
        const hits = all.filter((r) => addr >= r.at && addr < r.at + r.region.size);
        hits.sort((x, y) => y.priority - x.priority || y.order - x.order);
        expect(s.lookup(addr)?.region).toBe(hits[0]?.region);
      }
    }
  });
});

describe("access", () => {
  it("reads and writes RAM little-endian, at any alignment, across blocks", () => {
    const { root, s, memory } = space();
    root.add(0x1000, MemoryRegion.ram("a", memory.ram("a", 0x1000)));
    root.add(0x2000, MemoryRegion.ram("b", memory.ram("b", 0x1000)));
    s.write(0x1ffe, 4, 0xdeadbeef);
    expect(s.read(0x1ffe, 4)).toBe(0xdeadbeef);
    expect(s.read(0x2000, 2)).toBe(0xdead);
    expect(s.read(0x1fff, 1)).toBe(0xbe);
    const out = new Uint32Array(2);
    s.writeWide(0x1ffc, 0x01020304, 0xa0b0c0d0);
    s.readWide(0x1ffc, out);
    expect([...out]).toEqual([0x01020304, 0xa0b0c0d0]);
    expect(s.lastFault).toBe(false);
  });

  it("counts what nothing answers and reads zero", () => {
    const { root, s, memory } = space();
    root.add(0, MemoryRegion.ram("a", memory.ram("a", 2)));
    expect(s.read(0x5000, 4)).toBe(0);
    expect(s.lastFault).toBe(true);
    expect(s.unassigned).toBe(1);
    s.write(0, 2, 0xffff);
    expect(s.lastFault).toBe(false);
    expect(s.read(0, 4)).toBe(0xffff);
    expect(s.lastFault).toBe(true);
    for (const addr of [-1, 2 ** 52, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, 0.5])
      expect(() => [s.read(addr, 4), s.write(addr, 4, 1), s.readBytes(addr, new Uint8Array(9))]).not.toThrow();
  });

  it("ignores writes to ROM, and sends those to a ROM device to its registers", () => {
    const { root, s, memory } = space();
    const rom = memory.ram("rom", 0x1000);
    rom.bytes.fill(0x5a);
    root.add(0, MemoryRegion.rom("rom", rom));
    s.write(0, 4, 0);
    expect(s.read(0, 4)).toBe(0x5a5a5a5a);
    expect(s.lastFault).toBe(false);
    const regs = new Recorder();
    const flash = MemoryRegion.romDevice("flash", rom, regs);
    root.add(0x10000, flash);
    s.write(0x10004, 4, 7);
    expect(regs.calls).toEqual([["w", 4, 4, 7]]);
    expect(s.read(0x10004, 4)).toBe(0x5a5a5a5a);
    expect(s.lookup(0x10004)).toMatchObject({ readonly: true, romd: true });
    flash.setReadDirect(false);
    expect(s.read(0x10004, 4)).toBe(0x55667788);
    expect(s.lookup(0x10004)).toMatchObject({ readonly: true, romd: false, ramOffset: -1 });
    s.writeWide(0x10008, 1, 2);
    expect(regs.calls.slice(-2)).toEqual([
      ["w", 8, 4, 1],
      ["w", 12, 4, 2],
    ]);
  });

  const mmio = (opts: object): { regs: Recorder; s: AddressSpace } => {
    const { root, s } = space();
    const regs = new Recorder();
    root.add(0x100, MemoryRegion.mmio({ name: "io", size: 16, ...opts }, regs));
    return { regs, s };
  };

  it("cuts wide accesses and widens narrow ones", () => {
    const narrow = mmio({ maxAccess: 1 });
    narrow.s.write(0x102, 2, 0xabcd);
    expect(narrow.regs.calls).toEqual([
      ["w", 2, 1, 0xcd],
      ["w", 3, 1, 0xab],
    ]);
    const wide = mmio({ minAccess: 4 });
    expect(wide.s.read(0x101, 1)).toBe(0x33);
    expect(wide.s.read(0x106, 2)).toBe(0x5566);
    wide.s.write(0x106, 1, 0x7f);
    expect(wide.regs.calls).toEqual([
      ["r", 0, 4],
      ["r", 4, 4],
      ["w", 4, 4, 0x7f0000],
    ]);
  });

  it("strides registers by the shift: one call per register", () => {
    const { regs, s } = mmio({ shift: 2, maxAccess: 1, size: 8 });
    expect(s.lookup(0x100)?.size).toBe(32);
    s.read(0x108, 4);
    s.write(0x10c, 4, 0x1ff);
    s.write(0x10d, 1, 0x12);
    expect(regs.calls).toEqual([
      ["r", 2, 1],
      ["w", 3, 1, 0xff],
      ["w", 3, 1, 0x12],
    ]);
  });

  it("swaps for big-endian registers", () => {
    const { regs, s } = mmio({ endian: "big" });
    expect(s.read(0x100, 4)).toBe(0x44332211);
    s.write(0x104, 2, 0x1234);
    expect(regs.calls[1]).toEqual(["w", 4, 2, 0x3412]);
    const out = new Uint32Array(2);
    s.readWide(0x100, out);
    expect([...out]).toEqual([0x44332211, 0x88776655]);
  });

  it("gives registers aligned accesses only", () => {
    const { regs, s } = mmio({});
    s.write(0x101, 4, 0x04030201);
    expect(regs.calls.map((c) => c.slice(1))).toEqual([
      [1, 1, 1],
      [2, 1, 2],
      [3, 1, 3],
      [4, 1, 4],
    ]);
    s.write(0x10e, 4, 0x99887766);
    expect(s.lastFault).toBe(true);
    expect(s.unassigned).toBe(2);
  });

  it("drops an access that a device makes to itself", () => {
    const { root, s } = space();
    const regs: Registers = {
      read: () => s.read(0x100, 4) + 1,
      write: (offset, size, value) => s.write(0x100, 4, value),
    };
    const io = MemoryRegion.mmio({ name: "io", size: 16 }, regs);
    root.add(0x100, io);
    expect(s.read(0x104, 4)).toBe(1);
    s.write(0x104, 4, 1);
    expect(io.port!.guard.dropped).toBe(2);
    const thrower = MemoryRegion.mmio({ name: "t", size: 4 }, { read: () => expect.fail("bug"), write() {} });
    root.add(0x200, thrower);
    expect(() => s.read(0x200, 4)).toThrow();
    expect(thrower.port!.guard.busy).toBe(false);
  });
});

describe("DMA", () => {
  it("copies through RAM, registers and holes", () => {
    const { root, s, memory } = space();
    root.add(0, MemoryRegion.ram("a", memory.ram("a", 8)));
    const regs = new Recorder();
    root.add(8, MemoryRegion.mmio({ name: "io", size: 8 }, regs));
    root.add(24, MemoryRegion.ram("b", memory.ram("b", 8)));
    expect(
      s.writeBytes(
        0,
        Uint8Array.from({ length: 16 }, (_, i) => i),
      ),
    ).toBe(true);
    expect(regs.calls).toEqual([
      ["w", 0, 4, 0x0b0a0908],
      ["w", 4, 4, 0x0f0e0d0c],
    ]);
    const into = new Uint8Array(32).fill(9);
    expect(s.readBytes(0, into)).toBe(false);
    expect([...into.subarray(0, 9)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0x44]);
    expect([...into.subarray(16)]).toEqual(Array.from({ length: 16 }, () => 0));
    expect(s.unassigned).toBe(1);
    expect(s.writeBytes(20, new Uint8Array(8).fill(1))).toBe(false);
    expect(s.read(24, 4)).toBe(0x01010101);
  });

  it("gives windows into one block of RAM only", () => {
    const { root, s, memory } = space();
    const ram = memory.ram("a", 0x2000);
    root.add(0x1000, MemoryRegion.ram("a", ram));
    root.add(0x4000, MemoryRegion.rom("r", memory.ram("r", 0x1000)));
    const w = s.window(0x1ff0, 0x20)!;
    w[0] = 7;
    expect(s.read(0x1ff0, 1)).toBe(7);
    for (const [addr, length] of [
      [0x2fff, 2],
      [0x4000, 1],
      [0x9000, 1],
      [0x1000, -1],
      [0x1000, Number.NaN],
      [0x1000, 2 ** 53],
    ])
      expect(s.window(addr!, length!)).toBeUndefined();
  });

  it("tells of writes to code and to tracked pages", () => {
    const { root, s, memory } = space();
    memory.ram("first", 0x1000);
    const ram = memory.ram("a", 0x4000);
    root.add(0x1000, MemoryRegion.ram("a", ram));
    const heard: [number, number][] = [];
    memory.onCodeWrite((at, length) => heard.push([at - ram.offset, length]));
    memory.watchCode(ram.offset + 0x1234, true);
    s.write(0x1004, 4, 1);
    s.write(0x2ffe, 2, 1);
    s.writeBytes(0x1ff0, new Uint8Array(0x20));
    s.window(0x2000, 16)![0] = 1;
    s.markWritten(0x2000, 16);
    expect(heard).toEqual([
      [0x1ffe, 2],
      [0xff0, 0x20],
      [0x1000, 16],
    ]);
    memory.watchCode(ram.offset + 0x1000, false);
    ram.dirty.start("migration");
    expect(ram.dirty.isQuiet(0)).toBe(false);
    s.write(0x1000, 1, 1);
    s.write(0x4000, 1, 1);
    s.write(0x4fff, 1, 1);
    const runs: [number, number][] = [];
    expect(ram.dirty.take("migration", (at, length) => runs.push([at, length]))).toBe(2);
    expect(runs).toEqual([
      [0, 0x1000],
      [0x3000, 0x1000],
    ]);
    expect(ram.dirty.take("migration", () => expect.fail())).toBe(0);
    expect(heard.length).toBe(3);
  });
});

it("hands out memory in pages and says when there is none left", () => {
  const memory = new MachineMemory(new ArrayBuffer(0x40000));
  expect(memory.allocate("a", 1)).toBe(0x10000);
  expect(memory.allocate("b", 0x10000)).toBe(0x20000);
  expect(memory.free).toBe(0x10000);
  expect(() => memory.allocate("c", 0x10001)).toThrow(/'c' needs 0x10001 bytes .* 0x10000 left/);
  expect(() => memory.allocate("c", Number.NaN)).toThrow(/non-negative/);
  memory.ram("ram", 10);
  expect(() => memory.ram("ram", 10)).toThrow(/two RAM blocks/);
});
