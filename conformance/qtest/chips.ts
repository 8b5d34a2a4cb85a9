/** How the chips of a PC are exercised: random operations in the test protocol that both sides can be asked. */
import type { Seeded } from "@mimus/testkit";
import { PERIPHERALS } from "./peripherals.ts";

export interface Chip {
  readonly args?: readonly string[];
  /** Before the random part. */
  readonly setup?: readonly string[];
  operations(random: Seeded): () => string;
  /** Whether two different answers are both right. */
  same?(line: string, qemu: string, ours: string): boolean;
}

const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`;
const pick = <T>(random: Seeded, list: readonly T[]): T => list[random.below(list.length)] as T;
const out = (port: number, value: number): string => `outb ${hex(port)} ${hex(value)}`;
const input = (port: number): string => `inb ${hex(port)}`;

/** Single bytes to and from ports,. */
function ports(
  list: readonly number[],
  options: { step?: number; value?: (random: Seeded, port: number) => number } = {},
): (random: Seeded) => () => string {
  return (random) => () => {
    const port = pick(random, list);
    if (random.below(2) === 0) return input(port);
    return out(port, options.value?.(random, port) ?? random.below(256));
  };
}

/** The interval timer: control words with their counts, reads, gates. */
function timer(random: Seeded): () => string {
  const queue: string[] = [];
  return () => {
    const ready = queue.shift();
    if (ready !== undefined) return ready;
    const n = random.below(3);
    switch (random.below(4)) {
      case 0: {
        const access = 1 + random.below(3);
        queue.push(out(0x40 + n, random.below(256)));
        if (access === 3) queue.push(out(0x40 + n, random.below(16)));
        return out(0x43, (n << 6) | (access << 4) | (pick(random, [0, 2, 3, 4]) << 1));
      }
      case 1:
        queue.push(input(0x40 + n), input(0x40 + n));
        return out(0x43, n << 6);
      case 2:
        queue.push(input(0x40 + n), input(0x40 + n), input(0x40 + n));
        return out(0x43, 0xc0 | (2 << n));
      default:
        return out(0x61, random.below(4));
    }
  };
}

/** The DMA controllers: whole addresses and counts, modes, masks, pages. */
function dma(random: Seeded): () => string {
  const queue: string[] = [];
  return () => {
    const ready = queue.shift();
    if (ready !== undefined) return ready;
    const shift = random.below(2);
    const base = shift === 0 ? 0 : 0xc0;
    const at = (register: number): number => base + (register << shift);
    switch (random.below(6)) {
      case 0: {
        const register = random.below(8);
        queue.push(out(at(register), random.below(256)), out(at(register), random.below(256)));
        return out(at(12), 0);
      }
      case 1: {
        const register = random.below(8);
        queue.push(input(at(register)), input(at(register)));
        return out(at(12), 0);
      }
      case 2:
        return out(at(pick(random, [8, 10, 11, 13, 14, 15])), random.below(256) & 0xfb);
      case 3:
        // Masks can be read at 15 here, at 9 there.
        return input(at(pick(random, [8, 13])));
      case 4:
        return out(0x80 + random.below(16), random.below(256));
      default:
        return input(0x80 + random.below(16));
    }
  };
}

const RTC_TIME = [0, 2, 4, 7, 8, 9];
/** The clock: index and data together. */
function clock(random: Seeded): () => string {
  const queue: string[] = [];
  const register = (): number => pick(random, [...RTC_TIME, 1, 3, 5, 0x0b, 0x0c, 0x0d, 0x32, 0x50, 0x7f]);
  const bcd = (most: number): number => {
    const n = random.below(most);
    return (Math.floor(n / 10) << 4) | (n % 10);
  };
  return () => {
    const ready = queue.shift();
    if (ready !== undefined) return ready;
    const at = register();
    if (random.below(3) > 0 || [6, 0x0c, 0x0d].includes(at)) queue.push(input(0x71));
    else if (at === 0x0b) queue.push(out(0x71, 0x02 | (random.below(8) << 4)));
    else if (RTC_TIME.includes(at)) {
      queue.push(out(0x70, 0x0b), out(0x71, 0x82), out(0x70, at));
      queue.push(out(0x71, at === 7 ? bcd(28) || 1 : at === 8 ? bcd(12) || 1 : at === 4 ? bcd(24) : bcd(60)));
      queue.push(out(0x70, 0x0b), out(0x71, 0x02));
    } else if (at === 0x32) queue.push(input(0x71));
    else queue.push(out(0x71, at < 6 ? pick(random, [0xc0, 0xff, bcd(24)]) : random.below(256)));
    return out(0x70, at);
  };
}

const config = (devfn: number, at: number): string => `outl 0xcf8 ${hex(0x8000_0000 + devfn * 256 + (at & 0xfc))}`;

/** Words that say what the board has (memory size, serial and parallel ports), the one that can be locked, and bases. */
const BOARD = [0x54, 0x70, 0xb40, 0xb90, 0xb5c, 0xb60, 0xb64];

/** Reads and writes of configuration space. */
function configSpace(
  functions: readonly number[],
  writable: (devfn: number, at: number) => boolean,
  skipped: readonly number[],
): (random: Seeded) => () => string {
  return (random) => {
    const queue: string[] = [];
    return () => {
      const ready = queue.shift();
      if (ready !== undefined) return ready;
      const devfn = pick(random, functions);
      const size = pick(random, ["b", "w", "l"] as const);
      const width = { b: 1, w: 2, l: 4 }[size];
      const at = random.below(256) & ~(width - 1);
      const port = hex(0xcfc + (at & 3));
      if (skipped.includes(devfn * 256 + (at & 0xfc))) return config(devfn, at);
      if (random.below(2) === 0 && writable(devfn, at) && writable(devfn, at + width - 1))
        queue.push(`out${size} ${port} ${hex(random.next() % 2 ** (8 * width))}`);
      queue.push(`in${size} ${port}`);
      return config(devfn, at);
    };
  };
}

const PM = 0x600;
const SELECTS = Array.from({ length: 0x44 }, (_, n) => n).filter((n) => n !== 0x14);

export const CHIPS: Readonly<Record<string, Chip>> = {
  pic: {
    operations: ports([0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1], {
      // Level-triggered mode of the first word is not QEMU's; the chips are always two.
      value: (random, port) => {
        const value = random.below(256);
        return (port & 1) === 0 && port < 0x100 && (value & 0x10) !== 0 ? 0x11 : value;
      },
    }),
    setup: [out(0x43, 0x34), out(0x40, 0), out(0x40, 0x10)],
  },
  pit: {
    operations: timer,
    // The output of a rate generator is high but for one tick; there it is low.
    same: (_line, qemu, ours) => (Number(qemu.slice(3)) ^ Number(ours.slice(3))) === 0x80,
    setup: [0, 1, 2].flatMap((n) => [out(0x43, (n << 6) | 0x36), out(0x40 + n, 0), out(0x40 + n, 0)]),
  },
  rtc: { operations: clock, args: [] },
  dma: { operations: dma },
  pci: {
    operations: configSpace([0, 8, 11], (_devfn, at) => at >= 0x40, BOARD),
  },
  pm: {
    setup: [config(11, 0x40), `outl 0xcfc ${hex(PM)}`, config(11, 0x80), "outb 0xcfc 0x1", `outw ${hex(PM)} 0xffff`],
    // Bytes are not told apart there.
    operations: (random) => () => {
      const port = hex(pick(random, [PM, PM + 2, PM + 4]));
      if (random.below(3) === 0)
        return pick(random, [
          input(0xb2),
          out(0xb3, random.below(256)),
          input(0xb3),
          input(0xafe2),
          out(0xafe2, random.below(256)),
        ]);
      return random.below(2) === 0 ? `inw ${port}` : `outw ${port} ${hex(random.next() & 0xdfff)}`;
    },
  },
  ioapic: {
    operations: (random) => {
      const queue: string[] = [];
      return () => {
        const ready = queue.shift();
        if (ready !== undefined) return ready;
        // Without the input of the interval timer, which is high.
        const select = pick(random, SELECTS);
        // Reserved bits stay zero here, and can be anything there.
        const mask = select < 0x10 || (select & 1) !== 0 ? 0xff00_0000 : 0x1_afff;
        queue.push(random.below(2) === 0 ? "readl 0xfec00010" : `writel 0xfec00010 ${hex(random.next() & mask)}`);
        return `writel 0xfec00000 ${hex(select)}`;
      };
    },
  },
  hpet: {
    operations: (random) => () => {
      const word = random.below(0x58);
      // The upper half of a comparator is zero here while the timer has 32 bits.
      // The counter is not to be written while it runs.
      const skipped = word === 0x3c || word === 0x3d || (word >= 0x40 && (word & 7) === 3);
      const at = hex(0xfed0_0000 + 4 * (skipped ? 0 : word));
      if (random.below(2) === 0) return `readl ${at}`;
      // Messages can be chosen there even where they are not offered.
      return `writel ${at} ${hex((random.below(3) === 0 ? random.next() : random.below(0x10000)) & ~0x4000)}`;
    },
  },
  ...PERIPHERALS,
};
