/** How the cards and ports of a PC are exercised: see `chips.ts`. */
import type { Seeded } from "@mimus/testkit";
import type { Chip } from "./chips.ts";

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const pick = <T>(random: Seeded, list: readonly T[]): T => list[random.below(list.length)] as T;
const out = (port: number, value: number): string => `outb ${hex(port)} ${hex(value)}`;
const input = (port: number): string => `inb ${hex(port)}`;

/** Operations that come one after the other, chosen by a function that gives a few at once. */
function scripts(make: (random: Seeded) => readonly string[]): (random: Seeded) => () => string {
  return (random) => {
    let queue: string[] = [];
    return () => {
      if (queue.length === 0) queue = [...make(random)];
      return queue.shift() as string;
    };
  };
}

/** Registers that a VGA keeps: index and data ports, how many, what is written. */
const BLOCKS: readonly (readonly [index: number, registers: readonly number[], mask: readonly number[]])[] = [
  [0x3c4, [0, 1, 2, 3, 4], [0x03, 0x3d, 0x0f, 0x3f, 0x0e]],
  [0x3ce, [0, 1, 2, 3, 4, 5, 6, 7, 8], [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff]],
  [0x3d4, [0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x12, 0x13, 0x14, 0x17, 0x18], []],
];

const vgaPorts = scripts((random) => {
  switch (random.below(4)) {
    case 0:
    case 1: {
      const [index, registers, mask] = pick(random, BLOCKS);
      const n = random.below(registers.length);
      const value = random.below(256) & (mask[n] ?? 0xff);
      const select = out(index, registers[n] as number);
      return random.below(2) === 0 ? [select, input(index + 1)] : [select, out(index + 1, value), input(index + 1)];
    }
    case 2: {
      // The palette, by index and in a row.
      const first = random.below(256);
      const colours = Array.from({ length: 6 }, () => out(0x3c9, random.below(64)));
      return [out(0x3c8, first), ...colours, out(0x3c7, first), ...colours.map(() => input(0x3c9))];
    }
    default: {
      const n = random.below(21);
      const value = random.below(256) & (n < 16 ? 0x3f : (([0xef, 0xff, 0x3f, 0x0f, 0x0f] as const)[n - 16] as number));
      return [input(0x3da), out(0x3c0, n), out(0x3c0, value), out(0x3c0, n), input(0x3c1), input(0x3da)];
    }
  }
});

/** Planes: modes of reading and writing, masks, and accesses to the window. */
const vgaMemory = scripts((random) => {
  const set = (index: number, n: number, value: number): string[] => [out(index, n), out(index + 1, value)];
  const at = hex(0xa0000 + random.below(64));
  switch (random.below(5)) {
    case 0:
      return set(0x3ce, pick(random, [0, 1, 2, 4, 7]), random.below(16));
    case 1:
      return pick(random, [
        set(0x3ce, 3, random.below(32)),
        set(0x3ce, 5, random.below(4) | (random.below(2) << 3)),
        set(0x3ce, 8, random.below(256)),
        set(0x3c4, 2, random.below(16)),
      ]);
    case 2:
      return [`readb ${at}`];
    default:
      return [`readb ${at}`, `writeb ${at} ${hex(random.below(256))}`];
  }
});

const DISPI_VALUES: Readonly<Record<number, readonly number[]>> = {
  0: [0xb0c0, 0xb0c2, 0xb0c5],
  1: [320, 640, 800, 1024, 1280, 13],
  2: [200, 480, 600, 768, 5],
  3: [8, 15, 16, 24, 32],
  4: [0, 1, 0x41, 0xc1],
  5: [0, 1, 7],
  6: [640, 1024, 2048],
  8: [0, 8, 100],
  9: [0, 1, 200],
};
const dispi = scripts((random) => {
  const index = random.below(11);
  const select = `outw 0x1ce ${hex(index)}`;
  const values = DISPI_VALUES[index];
  if (values === undefined || random.below(3) === 0) return [select, "inw 0x1d0"];
  return [select, `outw 0x1d0 ${hex(pick(random, values))}`, "inw 0x1d0"];
});

const KEYBOARD = [0xed, 0xee, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xff, 0xf0];
const MOUSE = [0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xff];
const drain = (n: number): string[] => Array.from({ length: n }, () => [input(0x64), input(0x60)]).flat();
const keyboard = scripts((random) => {
  switch (random.below(5)) {
    case 0: {
      const command = pick(random, KEYBOARD);
      const parameter = { 0xed: random.below(8), 0xf3: random.below(0x80), 0xf0: random.below(4) }[command];
      return [out(0x60, command), ...drain(3), ...(parameter === undefined ? [] : [out(0x60, parameter), ...drain(3)])];
    }
    case 1: {
      const command = pick(random, MOUSE);
      const parameter = { 0xe8: random.below(4), 0xf3: pick(random, [10, 20, 40, 60, 80, 100, 200]) }[command];
      const more = parameter === undefined ? [] : [out(0x64, 0xd4), out(0x60, parameter), ...drain(2)];
      return [out(0x64, 0xd4), out(0x60, command), ...drain(4), ...more];
    }
    case 2:
      return [out(0x64, pick(random, [0x20, 0xa9, 0xaa, 0xab, 0xc0, 0xd0])), ...drain(1)];
    case 3:
      return [out(0x64, 0x60), out(0x60, random.below(2) * 3 + random.below(2) * 0x40 + 4)];
    default:
      return [out(0x64, pick(random, [0xd2, 0xd3])), out(0x60, random.below(256)), ...drain(1)];
  }
});

const SERIAL = 0x3f8;
const serial = scripts((random) => {
  switch (random.below(6)) {
    case 0:
      return [out(SERIAL + 3, random.below(256) & 0xbf), input(SERIAL + 3)];
    case 1:
      return [out(SERIAL + 4, random.below(32)), input(SERIAL + 4), input(SERIAL + 6), input(SERIAL + 6)];
    case 2:
      return [out(SERIAL + 7, random.below(256)), input(SERIAL + 7)];
    case 3:
      return [out(SERIAL + 3, 3), out(SERIAL + 1, random.below(16)), input(SERIAL + 1), input(SERIAL + 2)];
    case 4:
      return [out(SERIAL + 3, 0x83), out(SERIAL, random.below(256)), out(SERIAL + 1, random.below(256)), input(SERIAL), input(SERIAL + 1), out(SERIAL + 3, 3)]; // prettier-ignore
    default:
      return [input(SERIAL + 2), input(SERIAL + 5)];
  }
});

const parallel = scripts((random) => {
  if (random.below(2) === 0) return [out(0x378, random.below(256)), input(0x378)];
  return [out(0x37a, random.below(16) | 0x0c), input(0x37a)];
});

/** Commands that move no data, with their results. */
const floppy = scripts((random) => {
  const send = (...bytes: number[]): string[] => bytes.flatMap((byte) => [input(0x3f4), out(0x3f5, byte)]);
  const results = (n: number): string[] => Array.from({ length: n }, () => [input(0x3f4), input(0x3f5)]).flat();
  const sense = [...send(0x08), ...results(2)];
  switch (random.below(9)) {
    case 0:
      return [...send(0x0f, 0, random.below(80)), ...sense];
    case 1:
      return [...send(0x07, 0), ...sense];
    case 2:
      return [...send(0x10), ...results(1)];
    case 3:
      return [...send(0x03, random.below(256), random.below(128) * 2)];
    case 4:
      return [...send(0x13, 0, random.below(256), random.below(256))];
    case 5:
      return [...send(0x14 | (random.below(2) << 7)), ...results(1)];
    case 6:
      return [...send(pick(random, [0x1f, 0x01, 0x0b, 0x15])), ...results(1)];
    case 7:
      return [...send(0x18), ...results(1)];
    default:
      return [out(0x3f2, 0x08), out(0x3f2, 0x0c), ...[0, 1, 2, 3].flatMap(() => sense)];
  }
});

/** The cards and ports. */
export const PERIPHERALS: Readonly<Record<string, Chip>> = {
  "vga-ports": { operations: vgaPorts, args: ["-vga", "std"], setup: [out(0x3c2, 0x67), out(0x3c6, 0xff)] },
  "vga-memory": {
    operations: vgaMemory,
    args: ["-vga", "std"],
    setup: [out(0x3c2, 0x67), out(0x3c4, 4), out(0x3c5, 6), out(0x3ce, 6), out(0x3cf, 5)],
  },
  dispi: { operations: dispi, args: ["-vga", "std"] },
  keyboard: {
    operations: keyboard,
    // There the mouse has another resolution until it is set to its defaults.
    setup: [out(0x64, 0xd4), out(0x60, 0xf6), input(0x60)],
    // There the bit that tells commands from data is always on, and the system flag is not that of the command byte.
    same: (line, qemu, ours) => line === input(0x64) && ((Number(qemu.slice(3)) ^ Number(ours.slice(3))) & ~0x0c) === 0,
  },
  serial: {
    operations: serial,
    // In loopback the changes of the inputs are told here, not there.
    same: (line, qemu, ours) =>
      line === input(SERIAL + 6) && ((Number(qemu.slice(3)) ^ Number(ours.slice(3))) & 0xf0) === 0,
    args: ["-chardev", "null,id=c", "-device", "isa-serial,chardev=c"],
  },
  parallel: { operations: parallel, args: ["-chardev", "null,id=c", "-device", "isa-parallel,chardev=c"] },
  floppy: { operations: floppy, args: ["-device", "floppy,unit=0"] },
};
