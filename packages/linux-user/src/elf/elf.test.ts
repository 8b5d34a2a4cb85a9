import { describe, expect, it } from "vitest";

import type { Abi } from "../abi.ts";
import { LinuxUserError } from "../errors.ts";
import { PROT, type MappedFile } from "../guest-memory.ts";
import { AddressSpace } from "../memory/address-space.ts";
import { windowBytes } from "../memory/page-table.ts";
import type { UserTarget } from "../target.ts";
import { readElf } from "./header.ts";
import { loadElf } from "./load.ts";
import { AT, buildStack } from "./stack.ts";

const MACHINE = 243;
const abi = (wordBits: 32 | 64, bigEndian: boolean): Abi => ({
  machine: "test", wordBits, bigEndian, align64: 8, syscalls: "generic", pageSize: 4096,
}); // prettier-ignore
const targetFor = (a: Abi): UserTarget => ({ name: "test", abi: a, elf: { machine: MACHINE } }) as UserTarget;
const ABI64 = abi(64, false);
const TARGET = targetFor(ABI64);
const SPACE = 2 ** 22;

function fileOf(bytes: Uint8Array): MappedFile {
  return {
    path: "/prog",
    key: bytes,
    size: () => bytes.length,
    read(offset, into) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    write: () => {},
    retain: () => {},
    release: () => {},
  };
}

function makeSpace(a: Abi = ABI64): AddressSpace {
  const base = 0x10000;
  const windows = base + SPACE;
  const windowsLength = windowBytes(SPACE);
  const buffer = new ArrayBuffer(windows + windowsLength);
  return new AddressSpace({ abi: a, base, size: SPACE, buffer, windows, windowsLength });
}

interface Ph {
  type?: number;
  flags?: number;
  offset?: number | bigint;
  vaddr?: number | bigint;
  filesz?: number | bigint;
  memsz?: number | bigint;
  align?: number | bigint;
}

/** An ELF file of a shape; `patch` may spoil it. */
function elf(
  segments: readonly Ph[],
  {
    a = ABI64,
    type = 2,
    machine = MACHINE,
    length = 0x3000,
    entry = 0x10000,
    phnum = segments.length,
    phoff = 64,
    phentsize = 0,
  } = {},
): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0x200; i < length; i++) bytes[i] = i & 255;
  const view = new DataView(bytes.buffer);
  const little = !a.bigEndian;
  const wide = a.wordBits === 64;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  let at = 16;
  const put = (size: number, value: number | bigint): void => {
    if (at + size <= length) {
      if (size === 2) view.setUint16(at, Number(value), little);
      else if (size === 4) view.setUint32(at, Number(BigInt.asUintN(32, BigInt(value))), little);
      else view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), little);
    }
    at += size;
  };
  const word = wide ? 8 : 4;
  put(2, type);
  put(2, machine);
  put(4, 1);
  put(word, entry);
  put(word, phoff);
  put(word, 0);
  put(4, 0);
  put(2, wide ? 64 : 52);
  put(2, phentsize || (wide ? 56 : 32));
  put(2, phnum);
  put(2, 0);
  put(2, 0);
  put(2, 0);
  at = phoff;
  for (const {
    type: t = 1,
    flags = 5,
    offset = 0,
    vaddr = 0x10000,
    filesz = 0x1000,
    memsz = filesz,
    align = 0x1000,
  } of segments) {
    put(4, t);
    if (wide) put(4, flags);
    for (const value of [offset, vaddr, vaddr, filesz, memsz]) put(word, value);
    if (!wide) put(4, flags);
    put(word, align);
  }
  return bytes;
}

/** Loads a file. @returns the error's kind and text, or the memory */
function load(bytes: Uint8Array, target = TARGET): { kind: string; text: string; status: number } | AddressSpace {
  const space = makeSpace(target.abi);
  try {
    loadElf(space, readElf("/prog", fileOf(bytes), target), "program");
    return space;
  } catch (error) {
    if (!(error instanceof LinuxUserError)) throw error;
    return { kind: error.kind, text: error.message, status: error.status };
  }
}

describe("an ELF file", () => {
  for (const a of [abi(64, false), abi(64, true), abi(32, false), abi(32, true)])
    it(`is mapped as its segments say (${a.wordBits} bits, ${a.bigEndian ? "big" : "little"}-endian)`, () => {
      const bytes = elf(
        [{ filesz: 0x1800 }, { flags: 6, offset: 0x1800, vaddr: 0x20800, filesz: 0x100, memsz: 0x5000 }],
        { a },
      );
      const space = load(bytes, targetFor(a)) as AddressSpace;
      expect(space).toBeInstanceOf(AddressSpace);
      expect(space.u8(0x10201)).toBe(1);
      expect(space.u8(0x20801)).toBe(bytes[0x1801]);
      expect(space.bytes(0x20900, 0x4f00, "w").every((b) => b === 0)).toBe(true);
      expect([
        space.access(0x10000, PROT.WRITE),
        space.access(0x20800, PROT.WRITE),
        space.access(0x26000, PROT.READ),
      ]).toEqual([2, 0, 1]);
    });

  it("that is position-independent goes where there is room, aligned as it asks", () => {
    const space = makeSpace();
    const file = readElf(
      "/prog",
      fileOf(elf([{ vaddr: 0x1000, offset: 0, align: 0x10000, memsz: 0x2000 }], { type: 3, entry: 0x1234 })),
      TARGET,
    );
    const first = loadElf(space, file, "program");
    const second = loadElf(space, file, "program");
    expect([first.start % 0x10000, second.start % 0x10000]).toEqual([0x1000, 0x1000]);
    expect(first.entry).toBe(first.bias + 0x1234);
    expect(second.bias).not.toBe(first.bias);
    expect(first.phdr).toBe(first.start + 64);
  });

  const bad: [name: string, bytes: Uint8Array, kind: string, text: RegExp][] = [
    ["empty", new Uint8Array(), "not-executable", /not an ELF/],
    ["a script", new TextEncoder().encode("#!/bin/sh\n"), "not-executable", /a script/],
    ["cut in the identification", elf([{}]).subarray(0, 10), "bad-elf", /cut off/],
    ["cut in the header", elf([{}]).subarray(0, 40), "bad-elf", /cut off/],
    ["cut in the program headers", elf([{}]).subarray(0, 100), "bad-elf", /beyond the end/],
    ["cut in a segment", elf([{ filesz: 0x3000 }], { length: 0x2000 }), "bad-elf", /has 8192 bytes/],
    ["for another machine", elf([{}], { machine: 183 }), "wrong-machine", /AArch64 64-bit, not for test/],
    ["of another width", elf([{}], { a: abi(32, false) }), "wrong-machine", /RISC-V 32-bit/],
    ["of another byte order", elf([{}], { a: abi(64, true) }), "wrong-machine", /big-endian/],
    ["an object file", elf([{}], { type: 1 }), "not-executable", /type 1/],
    ["without program headers", elf([]), "bad-elf", /no program headers/],
    ["without segments", elf([{ type: 4 }]), "bad-elf", /no segment/],
    ["with too many headers", elf([{}], { phnum: 65535 }), "bad-elf", /more than Linux accepts/],
    ["with headers of another size", elf([{}], { phentsize: 57 }), "bad-elf", /57 bytes/],
    ["with headers far outside", elf([{}], { phoff: 2 ** 40 }), "bad-elf", /beyond the end/],
    ["with a huge segment", elf([{ memsz: 2n ** 63n }]), "bad-elf", /does not fit/],
    ["with a segment that wraps", elf([{ vaddr: -0x1000n, memsz: 0x3000 }]), "bad-elf", /does not fit/],
    ["with an offset that wraps", elf([{ offset: -0x1000n }]), "bad-elf", /ends at/],
    ["with a segment at 0", elf([{ vaddr: 0 }]), "no-memory", /no room/],
    ["with more in the file than in memory", elf([{ filesz: 0x1000, memsz: 0x800 }]), "bad-elf", /in the file and/],
    ["with skewed pages", elf([{ offset: 0x10, vaddr: 0x10020, filesz: 0x100 }]), "bad-elf", /another place in a page/],
    ["with an interpreter without end", elf([{}, { type: 3, offset: 0x200, filesz: 16 }]), "bad-elf", /no end/],
    ["with an interpreter outside", elf([{}, { type: 3, offset: 2 ** 33, filesz: 16 }]), "bad-elf", /beyond the end/],
    [
      "with a huge interpreter name",
      elf([{}, { type: 3, offset: 0x200, filesz: 2n ** 62n }]),
      "bad-elf",
      /interpreter has/,
    ],
  ];
  for (const [name, bytes, kind, text] of bad)
    it(`${name} is refused`, () => {
      expect(load(bytes)).toMatchObject({ kind, status: 126, text: expect.stringMatching(text) as string });
    });

  it("whose names have control characters is refused in one line", () => {
    const { message } = new LinuxUserError("not-found", "/prog: its interpreter /\x1b[31m\n: none");
    expect(message).toBe("/prog: its interpreter /\\x1b[31m\\x0a: none");
  });

  it("with overlapping segments keeps the later one, as Linux does", () => {
    const space = load(
      elf([{ filesz: 0x2000 }, { flags: 6, offset: 0x2000, vaddr: 0x11000, filesz: 0x1000 }]),
    ) as AddressSpace;
    expect(space.access(0x11000, PROT.WRITE)).toBe(0);
    expect(space.access(0x10000, PROT.WRITE)).toBe(2);
  });

  it("that is spoilt anywhere is loaded or refused, and nothing else", () => {
    const good = elf([
      { filesz: 0x1800 },
      { flags: 6, offset: 0x1800, vaddr: 0x20800, filesz: 0x100, memsz: 0x5000 },
      { type: 3, offset: 0x300, filesz: 8 },
    ]);
    let state = 12345;
    const random = (below: number): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = good.slice();
      for (let n = 0; n <= random(4); n++)
        bytes[16 + random(232 - 16)] = [0, 1, 0x7f, 0x80, 0xff, random(256)][random(6)]!;
      const result = load(bytes);
      if (!(result instanceof AddressSpace)) refused++;
    }
    expect(refused).toBeGreaterThan(60);
  });
});

describe("the initial stack", () => {
  for (const a of [abi(64, false), abi(32, true)])
    it(`has argc, argv, envp and the auxiliary vector (${a.wordBits} bits)`, () => {
      const space = makeSpace(a);
      const top = 0x300000;
      space.map({ address: top - 0x10000, length: 0x10000, prot: 3, flags: 0x32 });
      const places = buildStack(space, top, {
        argv: ["a", "bc", "ä"], env: ["X=1"], path: "/p", platform: "plat", random: Uint8Array.of(...Array(16).keys()),
        auxv: [[AT.PAGESZ, 4096]],
      }); // prettier-ignore
      const word = a.wordBits / 8;
      const at = (n: number): number => space.word(places.sp + n * word);
      expect(places.sp % 16).toBe(0);
      expect(at(0)).toBe(3);
      expect([1, 2, 3].map((n) => space.string(at(n)))).toEqual(["a", "bc", "ä"]);
      expect([at(4), at(6)]).toEqual([0, 0]);
      expect(space.string(at(5))).toBe("X=1");
      expect(at(1)).toBe(places.argStart);
      const aux: Map<number, number> = new Map();
      for (let n = 7; at(n) !== 0; n += 2) aux.set(at(n), at(n + 1));
      expect(aux.get(AT.PAGESZ)).toBe(4096);
      expect(space.string(aux.get(AT.EXECFN)!)).toBe("/p");
      expect(space.string(aux.get(AT.PLATFORM)!)).toBe("plat");
      expect(space.u8(aux.get(AT.RANDOM)! + 15)).toBe(15);
    });
});
