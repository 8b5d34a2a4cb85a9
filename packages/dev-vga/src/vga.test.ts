import busIsa, { IsaBus } from "@mimus/bus-isa";
import busPci, { PciHost } from "@mimus/bus-pci";
import { DISPLAY_KIND, DisplayConsole } from "@mimus/display";
import type { Rect } from "@mimus/display";
import { AddressSpace } from "@mimus/machine-core";
import { Bench, Seeded, testDevice, testManifest } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { bochsDisplay, DISPI, edid, ENABLE, isaVga, Vga, vgaPci } from "./index.ts";

const ROOM = 80 * 2 ** 20;
const pci = {
  plugins: [busPci],
  ramSize: ROOM,
  setup: (_m: unknown, b: Bench) => void b.device("gpex-pcihost", {}, { map: false }),
};
testManifest(packageJson, plugin);
testDevice(vgaPci, { ...pci, props: { vgamem_mb: 1 } });
testDevice(bochsDisplay, { ...pci, props: { vgamem: 2 ** 20 } });
testDevice(isaVga, {
  plugins: [busIsa],
  ramSize: ROOM,
  props: { vgamem_mb: 1 },
  setup: (_m, b) => void b.device("isabus-bridge"),
});

interface Card {
  readonly bench: Bench;
  readonly vga: Vga;
  readonly console: DisplayConsole;
  out(port: number, value: number, size?: 1 | 2 | 4): void;
  in(port: number, size?: 1 | 2 | 4): number;
  poke(at: number, value: number, size?: 1 | 2 | 4): void;
  peek(at: number, size?: 1 | 2 | 4): number;
  seq(index: number, value: number): void;
  gfx(index: number, value: number): void;
  crtc(index: number, value: number): void;
  attr(index: number, value: number): void;
  dispi(index: number, value: number): void;
  pixel(x: number, y: number): number;
  readonly memory: AddressSpace;
}

function card(): Card {
  const bench = new Bench({ plugins: [busIsa, plugin], ramSize: ROOM });
  const isa = bench.device("isabus-bridge").impl as IsaBus;
  const device = bench.device("isa-vga", { vgamem_mb: 1 }, { map: false });
  bench.machine.reset();
  const io = new AddressSpace("io", isa.io);
  const memory = bench.machine.system;
  const console = bench.machine.backend(DISPLAY_KIND, "0") as DisplayConsole;
  const c: Card = {
    bench,
    memory,
    vga: device.impl as Vga,
    console,
    out: (port, value, size = 1) => io.write(port, size, value),
    in: (port, size = 1) => io.read(port, size),
    poke: (at, value, size = 1) => memory.write(at, size, value),
    peek: (at, size = 1) => memory.read(at, size),
    seq: (index, value) => c.out(0x3c4, index | (value << 8), 2),
    gfx: (index, value) => c.out(0x3ce, index | (value << 8), 2),
    crtc: (index, value) => c.out(0x3d4, index | (value << 8), 2),
    attr: (index, value) => {
      c.in(0x3da);
      c.out(0x3c0, index | 0x20);
      c.out(0x3c0, value);
    },
    dispi: (index, value) => {
      c.out(0x1ce, index, 2);
      c.out(0x1cf, value, 2);
    },
    pixel: (x, y) => {
      console.refresh?.();
      const { surface } = console;
      return surface === undefined ? -1 : new Uint32Array(surface.bytes.buffer)[y * surface.width + x]!;
    },
  };
  // A palette in which colour n is 0x010203 * n, and colour 15 of text is DAC entry 15.
  c.out(0x3c2, 0x67);
  for (let n = 0; n < 16; n++) c.attr(n, n);
  c.attr(0x12, 0x0f);
  c.out(0x3c8, 0);
  for (let n = 0; n < 256; n++) for (const k of [1, 2, 3]) c.out(0x3c9, (n * k) & 0x3f);
  return c;
}

const six = (v: number): number => ((v & 0x3f) << 2) | (v & 1 ? 3 : 0);
const color = (n: number): number => (six(n) << 16) | (six(2 * n) << 8) | six(3 * n);

/** Lines and columns of 640x400 with rows of `lines`. */
function timing(c: Card, lines: number, mode: number): void {
  c.crtc(0x11, 0);
  c.crtc(0x01, 79);
  c.crtc(0x12, 399 & 0xff);
  c.crtc(0x07, 0x12);
  c.crtc(0x18, 0xff);
  c.crtc(0x09, 0x40 | (lines - 1));
  c.crtc(0x13, 40);
  c.crtc(0x17, mode);
}

describe("text", () => {
  function text(): Card {
    const c = card();
    timing(c, 16, 0xa3);
    c.seq(1, 0);
    c.seq(2, 3);
    c.seq(4, 2);
    c.gfx(5, 0x10);
    c.gfx(6, 0x0e);
    c.gfx(8, 0xff);
    c.attr(0x10, 0x0c);
    c.attr(0x13, 8);
    // The font: character n has rows of n.
    c.seq(2, 4);
    c.seq(4, 6);
    c.gfx(5, 0);
    c.gfx(6, 4);
    for (let n = 0; n < 256; n++) for (let row = 0; row < 16; row++) c.poke(0xa0000 + 32 * n + row, n);
    c.seq(2, 3);
    c.seq(4, 2);
    c.gfx(5, 0x10);
    c.gfx(6, 0x0e);
    c.crtc(0x0a, 0x20);
    return c;
  }

  it("draws characters in nine dots with their colours", () => {
    const c = text();
    c.poke(0xb8000, 0x1ea5, 2);
    c.poke(0xb8002, 0x4fdb, 2); // DB repeats its eighth dot
    expect(c.peek(0xb8000, 2)).toBe(0x1ea5);
    const dots = Array.from({ length: 18 }, (_, x) => (c.pixel(x, 3) === color(x < 9 ? 14 : 15) ? 1 : 0)).join("");
    expect(dots).toBe("101001010110110111");
    expect(c.pixel(1, 0)).toBe(color(1));
    expect(c.pixel(0, 16)).toBe(color(0));
    expect([c.console.surface?.width, c.console.surface?.height]).toEqual([720, 400]);
  });

  it("has a cursor that blinks, and characters that do", () => {
    const c = text();
    c.crtc(0x0a, 14);
    c.crtc(0x0b, 15);
    c.crtc(0x0e, 0);
    c.crtc(0x0f, 1);
    c.poke(0xb8000, 0x8fff, 2);
    c.poke(0xb8002, 0x0700, 2);
    expect([c.pixel(9, 13), c.pixel(9, 14), c.pixel(0, 0)]).toEqual([color(0), color(7), color(15)]);
    expect(c.console.text?.()?.cursor).toEqual({ column: 1, row: 0 });
    c.bench.advance(16_666_667 * 16 + 1000);
    expect([c.pixel(9, 14), c.pixel(0, 0)]).toEqual([color(7), color(0)]);
    c.bench.advance(16_666_667 * 8);
    expect(c.pixel(9, 14)).toBe(color(0));
  });

  it("is there as characters", () => {
    const c = text();
    c.poke(0xb8000 + 2 * 81, 0x0741, 2);
    const screen = c.console.text?.();
    expect([screen?.columns, screen?.rows, screen?.cells[81]]).toEqual([80, 25, 0x0741]);
    c.crtc(0x0d, 80); // the screen starts a line later
    expect(c.console.text?.()?.cells[1]).toBe(0x0741);
  });

  it("splits at the line compare, pans and starts anywhere", () => {
    const c = text();
    c.poke(0xb8000, 0x0fff, 2);
    c.poke(0xb8000 + 160, 0x0f0f, 2);
    c.crtc(0x0d, 80);
    c.crtc(0x07, 0x02);
    c.crtc(0x09, 0x0f);
    c.crtc(0x18, 31);
    expect([c.pixel(0, 0), c.pixel(4, 0), c.pixel(0, 31), c.pixel(0, 32)]).toEqual([0, color(15), 0, color(15)]);
    c.attr(0x13, 0);
    expect([c.pixel(2, 0), c.pixel(3, 0)]).toEqual([0, color(15)]);
  });

  it("is dark while the palette is loaded, and when the sequencer says so", () => {
    const c = text();
    c.poke(0xb8000, 0x0fff, 2);
    expect(c.pixel(0, 0)).toBe(color(15));
    c.in(0x3da);
    c.out(0x3c0, 0);
    expect(c.pixel(0, 0)).toBe(0);
    c.in(0x3da);
    c.out(0x3c0, 0x20);
    c.seq(1, 0x20);
    expect(c.pixel(0, 0)).toBe(0);
  });
});

describe("planes", () => {
  function planar(): Card {
    const c = card();
    timing(c, 1, 0xe3);
    c.seq(1, 1);
    c.seq(2, 0x0f);
    c.seq(4, 6);
    c.gfx(5, 0);
    c.gfx(6, 5);
    c.gfx(7, 0x0f);
    c.gfx(8, 0xff);
    return c;
  }

  it("writes in four modes", () => {
    const c = planar();
    c.seq(2, 0x05);
    c.poke(0xa0000, 0x81);
    expect([c.pixel(0, 0), c.pixel(1, 0), c.pixel(7, 0)]).toEqual([color(5), color(0), color(5)]);
    c.seq(2, 0x0f);
    c.gfx(5, 2);
    c.gfx(8, 0x80);
    c.peek(0xa0000);
    c.poke(0xa0000, 0x0a);
    expect([c.pixel(0, 0), c.pixel(7, 0)]).toEqual([color(10), color(5)]);
    c.gfx(8, 0xff);
    c.gfx(5, 3);
    c.gfx(0, 3);
    c.peek(0xa0000);
    c.poke(0xa0000, 0x40);
    expect([c.pixel(0, 0), c.pixel(1, 0), c.pixel(2, 0)]).toEqual([color(10), color(3), color(0)]);
    c.gfx(5, 1);
    c.peek(0xa0000);
    c.poke(0xa0050, 0);
    expect([c.pixel(0, 1), c.pixel(1, 1)]).toEqual([color(10), color(3)]);
  });

  it("sets, rotates, combines and masks", () => {
    const c = planar();
    c.gfx(0, 0x0c);
    c.gfx(1, 0x0d);
    c.poke(0xa0000, 0x0f); // planes 0, 2, 3 come from set/reset: 0, 1, 1; plane 1 from the processor
    expect([c.pixel(0, 0), c.pixel(4, 0)]).toEqual([color(12), color(14)]);
    c.gfx(1, 0);
    c.gfx(3, 0x1b); // exclusive or, rotated by 3
    c.peek(0xa0000);
    c.poke(0xa0000, 0x01); // becomes 20
    expect([c.pixel(2, 0), c.pixel(3, 0)]).toEqual([color(12 ^ 15), color(12)]);
    c.gfx(3, 0x08);
    c.peek(0xa0000);
    c.poke(0xa0000, 0xf0);
    expect([c.pixel(0, 0), c.pixel(4, 0)]).toEqual([color(12), color(0)]);
  });

  it("reads planes and compares colours", () => {
    const c = planar();
    c.gfx(5, 2);
    c.poke(0xa0003, 0x06);
    c.gfx(4, 1);
    expect(c.peek(0xa0003)).toBe(0xff);
    c.gfx(4, 3);
    expect(c.peek(0xa0003)).toBe(0);
    c.gfx(5, 0x0a);
    c.gfx(2, 6);
    expect([c.peek(0xa0003), c.peek(0xa0004)]).toEqual([0xff, 0]);
    c.gfx(2, 7);
    c.gfx(7, 0x0e);
    expect(c.peek(0xa0003)).toBe(0xff);
  });

  it("answers nothing outside of its window", () => {
    const c = planar();
    expect([c.peek(0xb0000), c.peek(0xb8000)]).toEqual([0xff, 0xff]);
    c.gfx(6, 1);
    c.poke(0xbffff, 0x55);
    expect(c.peek(0xbffff)).toBe(0x55);
  });
});

describe("256 colours", () => {
  it("are plain memory when they are chained, and planes when not", () => {
    const c = card();
    timing(c, 2, 0xa3);
    c.seq(1, 1);
    c.seq(2, 0x0f);
    c.seq(4, 0x0e);
    c.gfx(5, 0x40);
    c.gfx(6, 5);
    c.gfx(8, 0xff);
    c.poke(0xa0000 + 321, 0x20);
    expect([c.pixel(2, 2), c.pixel(3, 3), c.pixel(4, 2), c.pixel(2, 1)]).toEqual([color(32), color(32), 0, 0]);
    expect(c.memory.lookup(0xa0000)?.view).toBeDefined();
    expect(c.memory.lookup(0xb0000)?.view).toBeUndefined();
    c.seq(4, 0x06);
    expect(c.memory.lookup(0xa0000)?.view).toBeUndefined();
    c.seq(2, 0x02);
    c.poke(0xa0050, 0x21);
    expect(c.pixel(2, 2)).toBe(color(33));
  });
});

describe("the display interface", () => {
  it("knows its versions and its memory", () => {
    const c = card();
    c.dispi(DISPI.ID, 0xb0c2);
    expect(c.in(0x1cf, 2)).toBe(0xb0c2);
    c.dispi(DISPI.ID, 0x1234);
    expect(c.in(0x1d0, 2)).toBe(0xb0c2);
    c.dispi(DISPI.ENABLE, ENABLE.CAPABILITIES);
    c.out(0x1ce, DISPI.XRES, 2);
    expect(c.in(0x1cf, 2)).toBe(16000);
    c.out(0x1ce, DISPI.MEMORY_64K, 2);
    expect(c.in(0x1cf, 2)).toBe(16);
  });

  it.each([
    [8, 0x24, color(0x24)],
    [15, 0x7c1f, 0xf800f8],
    [16, 0x07e0, 0x00ff00],
    [24, 0x123456, 0x123456],
    [32, 0x123456, 0x123456],
  ])("shows %i bits a pixel", (bpp, value, wanted) => {
    const c = card();
    for (const [index, v] of [
      [DISPI.XRES, 320],
      [DISPI.YRES, 200],
      [DISPI.BPP, bpp],
      [DISPI.ENABLE, ENABLE.ON | ENABLE.LFB],
    ] as const)
      c.dispi(index, v);
    const step = (bpp + 1) >> 3;
    const at = 0xe000_0000 + (320 * 7 + 9) * step;
    for (let i = 0; i < step; i++) c.poke(at + i, (value >>> (8 * i)) & 0xff);
    expect([c.pixel(9, 7), c.pixel(8, 7)]).toEqual([wanted, bpp === 8 ? color(0) : 0]);
    c.dispi(DISPI.VIRT_WIDTH, 640);
    c.dispi(DISPI.Y_OFFSET, 3);
    expect(c.pixel(329 - 320, 0)).not.toBe(wanted);
    c.dispi(DISPI.ENABLE, 0);
    c.dispi(DISPI.ENABLE, ENABLE.ON);
    expect(c.peek(at)).toBe(0);
  });

  it("brings what does not fit into what does", () => {
    const c = card();
    c.dispi(DISPI.XRES, 0xffff);
    c.dispi(DISPI.YRES, 0xffff);
    c.dispi(DISPI.BPP, 77);
    c.dispi(DISPI.ENABLE, ENABLE.ON);
    const { mode } = c.vga.dispi;
    expect([mode!.width, mode!.height, mode!.bpp]).toEqual([16000, 65, 8]);
    c.dispi(DISPI.Y_OFFSET, 0xffff);
    c.dispi(DISPI.X_OFFSET, 0xffff);
    expect(c.vga.dispi.mode!.start).toBe(0);
    expect(c.pixel(0, 64)).toBe(color(0));
  });

  it("moves the window by banks", () => {
    const c = card();
    c.seq(2, 15);
    c.seq(4, 0x0e);
    c.gfx(6, 5);
    c.gfx(8, 0xff);
    c.dispi(DISPI.XRES, 640);
    c.dispi(DISPI.YRES, 480);
    c.dispi(DISPI.BPP, 8);
    c.dispi(DISPI.ENABLE, ENABLE.ON);
    c.dispi(DISPI.BANK, 3);
    c.poke(0xa0010, 0x77);
    expect([c.peek(0xe003_0010), c.peek(0xa0010)]).toEqual([0x77, 0x77]);
    c.dispi(DISPI.BANK, 0);
    expect(c.peek(0xa0010)).toBe(0);
  });

  it("tells who looks which part has changed", () => {
    const c = card();
    c.dispi(DISPI.XRES, 1024);
    c.dispi(DISPI.YRES, 200);
    c.dispi(DISPI.BPP, 32);
    c.dispi(DISPI.ENABLE, ENABLE.ON);
    const seen: Rect[] = [];
    c.console.listen({ updated: (r) => void seen.push(r) });
    c.console.refresh?.();
    seen.length = 0;
    c.console.refresh?.();
    expect(seen).toEqual([]);
    c.poke(0xe000_0000 + 4096 * 10 + 40, 0xffffff, 4);
    c.poke(0xe000_0000 + 4096 * 11 + 48, 0xffffff, 4);
    c.console.refresh?.();
    expect(seen).toEqual([{ x: 10, y: 10, width: 3, height: 2 }]);
  });
});

it("has registers in memory space, and a monitor", () => {
  const bench = new Bench({ plugins: [busPci, plugin], ramSize: ROOM });
  const host = bench.device("gpex-pcihost", {}, { map: false }).impl as PciHost;
  bench.device("VGA", { vgamem_mb: 1, xres: 1024, yres: 768 }, { map: false });
  bench.machine.reset();
  const f = [...host.bus.functions.values()].find(({ config }) => config.read(0, 4) === 0x11111234)!;
  f.config.write(0x10, 4, 0x4000_0000);
  f.config.write(0x18, 4, 0x5000_0000);
  f.config.write(4, 2, 3);
  const memory = new AddressSpace("pci", host.bus.memory);
  expect(f.config.read(8, 4)).toBe(0x03000002);
  const block = Uint8Array.from({ length: 128 }, (_, i) => memory.read(0x5000_0000 + i, 1));
  expect(block.reduce((a, b) => a + b, 0) & 0xff).toBe(0);
  expect([block[56]! | ((block[58]! & 0xf0) << 4), block[59]! | ((block[61]! & 0xf0) << 4)]).toEqual([1024, 768]);
  memory.write(0x5000_0502, 2, 800);
  memory.write(0x5000_0504, 2, 600);
  memory.write(0x5000_0506, 2, 16);
  memory.write(0x5000_0508, 2, 0x41);
  expect([memory.read(0x5000_0502, 2), memory.read(0x5000_0600, 4), memory.read(0x5000_0604, 4)]).toEqual([
    800, 8, 0x1e1e1e1e,
  ]);
  memory.write(0x5000_0402, 1, 0x67); // port 3C2
  expect(memory.read(0x5000_040c, 1)).toBe(0x67);
  memory.write(0x4000_0000, 2, 0xf800);
  const console = bench.machine.backend(DISPLAY_KIND, "0") as DisplayConsole;
  console.refresh?.();
  expect(new Uint32Array(console.surface!.bytes.buffer)[0]).toBe(0xff0000);
});

it("identifies any size of monitor with a good sum", () => {
  for (const [width, height] of [
    [640, 480],
    [1920, 1080],
    [4088, 4095],
  ] as const)
    expect(edid({ width, height, refresh: 75 }).reduce((a, b) => a + b, 0) & 0xff).toBe(0);
});

it("survives whatever a guest writes, and shows something", () => {
  const c = card();
  const random = new Seeded(3);
  c.console.listen({});
  for (let n = 0; n < 20_000; n++) {
    const port = 0x3b0 + random.below(0x30);
    const value = random.below(0x10000);
    if (n % 7 === 0) c.dispi(random.below(16), value);
    else if (n % 3 === 0) c.poke(0xa0000 + random.below(0x20000), value, ([1, 2, 4] as const)[n % 3]!);
    else if (n % 5 === 0) c.in(port, ([1, 2, 4] as const)[random.below(3)]!);
    else c.out(port, value, ([1, 2] as const)[n & 1]!);
    if (n % 200 === 0) {
      c.console.refresh?.();
      c.console.text?.();
    }
  }
  c.bench.machine.loadState(c.bench.machine.saveState({ ram: false }));
  c.bench.machine.reset();
  c.console.refresh?.();
  expect(c.console.surface).toBeDefined();
});
