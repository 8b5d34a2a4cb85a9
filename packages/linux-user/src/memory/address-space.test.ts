import { describe, expect, it } from "vitest";

import { Errno } from "../errno.ts";
import { MAP, PROT, type MappedFile } from "../guest-memory.ts";
import { SlowMap } from "./slow-map.ts";
import { AddressSpace, decodeUtf8, encodeUtf8 } from "./address-space.ts";
import { PAGE, PG, windowBytes, windowedSize, windowShift } from "./page-table.ts";

const ABI = {
  machine: "test",
  wordBits: 64,
  bigEndian: false,
  align64: 8,
  syscalls: "generic",
  pageSize: 4096,
} as const;
const SIZE = 2 ** 20;
const BASE = 0x10000;
const RW = PROT.READ | PROT.WRITE;
const ANON = MAP.PRIVATE | MAP.ANONYMOUS;

function makeSpace(size = SIZE): { space: AddressSpace } {
  const windowsAt = BASE + size;
  const buffer = new ArrayBuffer(windowsAt + windowBytes(size));
  const space = new AddressSpace({
    abi: ABI,
    base: BASE,
    size,
    buffer,
    windows: windowsAt,
    windowsLength: windowBytes(size),
  });
  return { space };
}

/** The result of a call, or its error's name. */
function outcome(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    if (error instanceof Errno) return error.message;
    throw error;
  }
}

class BytesFile implements MappedFile {
  readonly path = "/file";
  readonly key = this;
  users = 0;
  bytes: Uint8Array;
  constructor(length: number) {
    this.bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);
  }
  size(): number {
    return this.bytes.length;
  }
  read(offset: number, into: Uint8Array): number {
    const part = this.bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }
  write(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }
  retain(): void {
    this.users++;
  }
  release(): void {
    this.users--;
  }
}

/** xorshift32 (Marsaglia 2003). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** The window tables as their definition has it: every byte of [2048u, 2048u + 4096); bit 0: may be read, bit 1: written. */
function slowWindow(space: AddressSpace, u: number): number {
  const from = 2048 * u;
  const to = from + 4096;
  let bits = 3;
  const first = Math.floor(from / PAGE);
  const last = Math.floor((to - 1) / PAGE);
  for (let at = first * PAGE; at <= last * PAGE; at += PAGE) {
    const flags = at < 0 || at >= space.size ? 0 : space.pages.flags[Math.floor(at / PAGE)]!;
    if ((flags & (PG.MAPPED | PG.LAZY | PG.READ)) !== (PG.MAPPED | PG.READ)) bits &= ~1;
    if ((flags & (PG.MAPPED | PG.LAZY | PG.WRITE | PG.CODE)) !== (PG.MAPPED | PG.WRITE)) bits &= ~2;
  }
  return bits;
}

/** What the tables say, in the same bits; all of the address space is allowed, or nothing. */
function window({ pages, size }: AddressSpace, u: number): number {
  const all = size / 2 ** windowShift(size);
  for (const entry of [pages.readable[u], pages.writable[u]]) if (entry !== 0) expect(entry).toBe(all);
  return (pages.readable[u] === 0 ? 0 : 1) | (pages.writable[u] === 0 ? 0 : 2);
}

function checkWindows(space: AddressSpace): void {
  for (let u = 0; u < space.pages.readable.length; u++)
    if (window(space, u) !== slowWindow(space, u)) expect([u, window(space, u)]).toEqual([u, slowWindow(space, u)]);
}

describe("mappings", () => {
  for (let seed = 1; seed <= 12; seed++) {
    it(`are those of a slow map after random calls (${seed})`, () => {
      const random = randomFrom(seed * 7919);
      const { space } = makeSpace();
      const slow = new SlowMap(SIZE);
      const page = (): number => (16 + random(SIZE / PAGE - 16)) * PAGE;
      const length = (): number => (1 + random(random(4) === 0 ? 100 : 6)) * PAGE - random(2) * random(PAGE);
      space.mappings.heap.place(0x40000);
      slow.heapStart = slow.heapEnd = 0x40000;
      for (let step = 0; step < 300; step++) {
        const at = page();
        const size = length();
        const prot = random(8);
        let got: unknown;
        let wanted: unknown;
        switch (random(10)) {
          case 0:
          case 1: {
            const flags = ANON | (random(3) === 0 ? MAP.FIXED : random(3) === 0 ? MAP.FIXED_NOREPLACE : 0);
            const hint = random(2) === 0 ? 0 : at;
            const place = flags & (MAP.FIXED | MAP.FIXED_NOREPLACE) ? at : hint;
            got = outcome(() => space.map({ address: place, length: size, prot, flags }));
            wanted = slow.map(place, size, prot, flags, got);
            break;
          }
          case 2:
            got = outcome(() => space.unmap(at, size));
            wanted = slow.unmap(at, size);
            break;
          case 3:
            got = outcome(() => space.protect(at, size, prot));
            wanted = slow.protect(at, size, prot);
            break;
          case 4: {
            const to = length();
            const flags = random(2);
            got = outcome(() => space.remap(at, size, to, flags, 0));
            wanted = slow.remap(at, size, to, flags, got);
            break;
          }
          case 5: {
            const to = 0x40000 + random(0x30000);
            got = space.brk(to);
            wanted = slow.brk(to);
            break;
          }
          case 6:
            got = outcome(() => space.advise(at, size, 4));
            wanted = slow.forget(at, size);
            break;
          case 7: {
            const code = Math.floor(at / PAGE);
            space.pages.watch(code, random(2) === 0);
            break;
          }
          default: {
            const byte = random(256);
            got = outcome(() => space.bytes(at, Math.min(size, 5000), "w").fill(byte) && "written");
            wanted = slow.write(at, Math.min(size, 5000), byte);
          }
        }
        expect([step, got]).toEqual([step, wanted]);
      }
      checkWindows(space);
      expect(slow.compare(space)).toBe("");
      checkWindows(space);
    });
  }
});

describe("windows", () => {
  it("can say of every size that the machine gives that all of it is allowed", () => {
    for (const wanted of [1, 65536, 2 ** 20, 64 * 2 ** 20, 100 * 2 ** 20 + 65536, 2047 * 2 ** 20]) {
      const size = windowedSize(wanted);
      const entry = size / 2 ** windowShift(size);
      expect([size >= wanted, size % 65536, Number.isInteger(entry) && entry > 0 && entry < 256]).toEqual([
        true,
        0,
        true,
      ]);
    }
  });

  it("are true for every state of three pages", () => {
    const { space } = makeSpace();
    const at = 20;
    for (let states = 0; states < 6 ** 3; states++) {
      for (let n = 0; n < 3; n++) {
        const state = Math.floor(states / 6 ** n) % 6;
        const p = at + n;
        space.pages.unmap(p, p + 1);
        space.pages.watch(p, false);
        if (state > 0) space.pages.map(p, p + 1, [0, 0, PROT.READ, RW, RW, RW][state]!, state === 5);
        if (state > 0 && state < 5) space.pages.filled(p, p + 1);
        if (state === 4) space.pages.watch(p, true);
      }
      checkWindows(space);
    }
  });
  it("are right at both ends of the address space", () => {
    const { space } = makeSpace();
    space.pages.map(0, space.pages.pages, RW, false);
    checkWindows(space);
    expect(window(space, 0)).toBe(3);
    expect(window(space, 2)).toBe(3);
    expect(window(space, space.pages.readable.length - 1)).toBe(0);
  });
});

describe("released memory", () => {
  it("is zero when it is mapped again", () => {
    const { space } = makeSpace();
    const at = space.map({ address: 0, length: 3 * PAGE, prot: RW, flags: ANON });
    space.bytes(at, 3 * PAGE, "w").fill(0xaa);
    space.unmap(at, 3 * PAGE);
    const again = space.map({ address: at, length: 3 * PAGE, prot: RW, flags: ANON | MAP.FIXED });
    expect(space.bytes(again, 3 * PAGE, "r").every((b) => b === 0)).toBe(true);
  });
  it("is zero behind a range that madvise gave back", () => {
    const { space } = makeSpace();
    const at = space.map({ address: 0, length: 2 * PAGE, prot: RW, flags: ANON });
    space.bytes(at, 2 * PAGE, "w").fill(1);
    space.advise(at + PAGE, PAGE, 4);
    expect([space.u8(at), space.u8(at + PAGE)]).toEqual([1, 0]);
  });
  it("makes the engine forget the code that was in it", () => {
    const { space } = makeSpace();
    const gone: number[] = [];
    space.events = { ...space.events, codeWritten: (ram) => gone.push(ram) };
    const at = space.map({ address: 0, length: PAGE, prot: 7, flags: ANON });
    space.bytes(at, 4, "w").fill(1);
    space.pages.watch(at / PAGE, true);
    space.unmap(at, PAGE);
    space.map({ address: at, length: PAGE, prot: 7, flags: ANON | MAP.FIXED });
    expect(gone).toEqual([]);
    space.u8(at);
    expect(gone).toEqual([BASE + at]);
  });
});

describe("files", () => {
  it("private mappings read the file and never write it", () => {
    const { space } = makeSpace();
    const file = new BytesFile(10000);
    const at = space.map({ address: 0, length: 10000, prot: RW, flags: MAP.PRIVATE, file, offset: PAGE });
    expect(space.u8(at + 5)).toBe(file.bytes[PAGE + 5]);
    expect(space.u8(at + 10000 - PAGE)).toBe(0); // beyond the file's end, in its last page
    expect(outcome(() => space.u8(at + 2 * PAGE))).toBe("EFAULT");
    expect(space.access(at + 2 * PAGE, PROT.READ)).toBe(3);
    space.setU8(at + 5, file.bytes[PAGE + 5]! ^ 1);
    const before = file.bytes.slice();
    space.close();
    expect(file.bytes).toEqual(before);
    expect(file.users).toBe(0);
  });
  it("shared mappings write back what changed, and nothing else", () => {
    const { space } = makeSpace();
    const file = new BytesFile(2 * PAGE);
    const at = space.map({ address: 0, length: 2 * PAGE, prot: RW, flags: MAP.SHARED, file });
    space.setU8(at + 100, 1);
    space.setU8(at + PAGE, 2);
    file.bytes[101] = 99; // by somebody else
    space.sync(at, PAGE);
    expect([file.bytes[100], file.bytes[101]]).toEqual([1, 99]);
    space.unmap(at + PAGE, PAGE);
    expect(file.bytes[PAGE]).toBe(2);
    space.syncFile(file.key, "from-file");
    expect(space.u8(at + 101)).toBe(99);
    space.close();
    expect(file.users).toBe(0);
  });
  it("move with mremap, page by page as they are", () => {
    const { space } = makeSpace();
    const file = new BytesFile(4 * PAGE);
    const at = space.map({ address: 0, length: 2 * PAGE, prot: RW, flags: MAP.PRIVATE, file });
    space.map({ address: at + 2 * PAGE, length: PAGE, prot: 0, flags: ANON | MAP.FIXED });
    space.setU8(at + 3, 0xee);
    const to = space.remap(at, 2 * PAGE, 4 * PAGE, 1, 0);
    expect(to).not.toBe(at);
    expect([space.u8(to + 3), space.u8(to + 3 * PAGE + 1)]).toEqual([0xee, file.bytes[3 * PAGE + 1]]);
    expect(outcome(() => space.u8(at))).toBe("EFAULT");
  });
});

describe("limits", () => {
  it("a guest that maps everything gets ENOMEM", () => {
    const { space } = makeSpace();
    let count = 0;
    while (
      outcome(() => space.map({ address: 0, length: PAGE, prot: count % 2 === 0 ? RW : 0, flags: ANON })) !== "ENOMEM"
    )
      count++;
    expect(count).toBe(SIZE / PAGE - 32);
    expect(outcome(() => space.map({ address: 0, length: 2 ** 40, prot: RW, flags: ANON }))).toBe("ENOMEM");
    expect(outcome(() => space.map({ address: 0, length: 2 ** 63, prot: RW, flags: ANON }))).toBe("ENOMEM");
  });
  it("obeys RLIMIT_AS", () => {
    const { space } = makeSpace();
    space.mappings.limit = () => 3 * PAGE;
    space.map({ address: 0, length: 2 * PAGE, prot: RW, flags: ANON });
    expect(outcome(() => space.map({ address: 0, length: 2 * PAGE, prot: RW, flags: ANON }))).toBe("ENOMEM");
  });
});

describe("strings", () => {
  it("end at NUL, also over pages, and have a longest length", () => {
    const { space } = makeSpace();
    const at = space.map({ address: 0, length: 2 * PAGE, prot: RW, flags: ANON });
    space.bytes(at, 2 * PAGE, "w").fill(0x61);
    expect(outcome(() => space.string(at))).toBe("ENAMETOOLONG");
    space.setU8(at + PAGE + 10, 0);
    expect(space.string(at + PAGE - 5)).toBe("a".repeat(15));
    expect(outcome(() => space.string(at + PAGE + 11))).toBe("EFAULT");
  });
  it("keep bytes that are not UTF-8", () => {
    for (const bytes of [
      [0xff, 0x41],
      [0xc3, 0xa4],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98, 0x80],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xed, 0xb2, 0x80],
    ])
      expect([...encodeUtf8(decodeUtf8(Uint8Array.from(bytes)))]).toEqual(bytes);
  });
});
