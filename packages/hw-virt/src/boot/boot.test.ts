import fc from "fast-check";
import { expect, it } from "vitest";
import { readElf } from "./elf.ts";
import { BoardError, BootImages, fdtAddress, loadFirmware, loadInitrd, loadKernel, resetRom } from "./index.ts";

const MIB = 2 ** 20;
const ram = { base: 0x8000_0000, size: 64 * MIB };

interface Segment {
  readonly address: bigint;
  readonly bytes?: Uint8Array;
  readonly fileSize?: bigint;
  readonly memorySize?: bigint;
}

/** A 64-bit RISC-V executable with the given segments. */
function elf64(...segments: Segment[]): Uint8Array {
  const out = new Uint8Array(64 + 56 * segments.length + segments.reduce((n, s) => n + (s.bytes?.length ?? 0), 0));
  const view = new DataView(out.buffer);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setBigUint64(24, segments[0]?.address ?? 0n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let at = 64 + 56 * segments.length;
  for (const [i, s] of segments.entries()) {
    const bytes = s.bytes ?? new Uint8Array(0);
    const h = 64 + 56 * i;
    view.setUint32(h, 1, true);
    view.setBigUint64(h + 8, BigInt(at), true);
    view.setBigUint64(h + 24, s.address, true);
    view.setBigUint64(h + 32, s.fileSize ?? BigInt(bytes.length), true);
    view.setBigUint64(h + 40, s.memorySize ?? BigInt(bytes.length), true);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

const four = new Uint8Array([1, 2, 3, 4]);

it("reads segments with their physical addresses", () => {
  const elf = readElf(
    elf64({ address: 0x80200000n, bytes: four, memorySize: 16n }, { address: 0x80300000n, bytes: four }),
    "kernel",
  );
  expect([elf.xlen, elf.low, elf.high]).toEqual([64, 0x80200000, 0x80300004]);
  expect(elf.segments[0]).toEqual({ address: 0x80200000, bytes: four, memorySize: 16 });
});

it.each([
  [
    "size 2^63",
    { address: 0x80000000n, bytes: four, fileSize: 2n ** 63n, memorySize: 2n ** 63n },
    /truncated: segment 0/,
  ],
  ["memory size 2^63", { address: 0x80000000n, bytes: four, memorySize: 2n ** 63n }, /not addressable/],
  ["address near 2^64", { address: 2n ** 64n - 2n, bytes: four }, /not addressable/],
  ["more in the file than in memory", { address: 0n, bytes: four, memorySize: 2n }, /more bytes in the file/],
])("refuses %s in one line", (_what, segment, message) => {
  expect(() => readElf(elf64(segment), "kernel")).toThrow(message);
});

it("refuses other machines, classes and damaged headers", () => {
  const good = elf64({ address: 0x80000000n, bytes: four });
  const changed = (at: number, ...bytes: number[]): Uint8Array => {
    const copy = good.slice();
    copy.set(bytes, at);
    return copy;
  };
  expect(() => readElf(changed(18, 62), "kernel")).toThrow("kernel: is for ELF machine 62, wanted 243 (RISC-V)");
  expect(() => readElf(changed(4, 3), "kernel")).toThrow(/class 3/);
  expect(() => readElf(changed(5, 2), "kernel")).toThrow(/big-endian/);
  expect(() => readElf(changed(56, 0, 0), "kernel")).toThrow(/no program headers/);
  expect(() => readElf(changed(56, 0xff, 0xff), "kernel")).toThrow(/65535 program headers/);
  expect(() => readElf(changed(32, 0xff, 0xff, 0xff, 0xff), "kernel")).toThrow(/truncated: program headers/);
  expect(() => readElf(good.subarray(0, 60), "kernel")).toThrow(/truncated/);
  expect(() => readElf(good.subarray(0, 3), "kernel")).toThrow(/not an ELF/);
});

it("survives any change of a header byte", () => {
  const good = elf64({ address: 0x80000000n, bytes: four });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(119), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const copy = good.slice();
      for (const [at, value] of changes) copy[at] = value;
      try {
        const { segments } = readElf(copy, "kernel");
        for (const s of segments) expect(s.bytes.length).toBeLessThanOrEqual(s.memorySize);
      } catch (error) {
        expect(error).toBeInstanceOf(BoardError);
      }
    }),
    { numRuns: 2000 },
  );
});

it("places firmware, kernel, initrd and device tree", () => {
  const images = new BootImages(ram);
  const end = loadFirmware(images, new Uint8Array(100_000), 64, ram);
  const kernel = loadKernel(images, new Uint8Array(1 * MIB), 64, end);
  expect(kernel).toBe(0x8020_0000);
  expect(loadInitrd(images, new Uint8Array(MIB), kernel, ram)).toEqual({ base: 0x8220_0000, size: MIB });
  expect(fdtAddress(5000, ram)).toBe(0x83e0_0000);
  expect(loadKernel(new BootImages(ram), new Uint8Array(8), 32, end)).toBe(0x8040_0000);
  expect(loadKernel(new BootImages(ram), new Uint8Array(8), 64, ram.base)).toBe(0x8000_0000);
});

it("puts the device tree below 3 GiB", () => {
  expect(fdtAddress(5000, { base: 0x8000_0000, size: 4096 * MIB })).toBe(0xbfe0_0000);
  expect(() => fdtAddress(5000, { base: 0x8000_0000, size: MIB / 2 })).toThrow(/-m/);
});

it("says what does not fit", () => {
  const images = new BootImages(ram);
  expect(() => loadInitrd(images, new Uint8Array(40 * MIB), 0x8020_0000, ram)).toThrow(
    /initrd of 41943040 bytes does not fit.*-m/,
  );
  expect(() => loadKernel(images, new Uint8Array(65 * MIB), 64, ram.base)).toThrow(/kernel needs.*RAM is/);
  expect(() => loadKernel(images, new Uint8Array(0), 64, ram.base)).toThrow("kernel: the file is empty");
  loadFirmware(images, new Uint8Array(MIB), 64, ram);
  const onTop = elf64({ address: 0x8000_0000n, bytes: four });
  expect(() => loadKernel(images, onTop, 64, ram.base)).toThrow(/kernel at .* overlaps firmware/);
  expect(() => loadKernel(images, onTop, 32, ram.base)).toThrow(/64-bit program, but this machine is 32-bit/);
});

it("writes the reset program and the fw_dynamic structure", () => {
  const words = (rom: Uint8Array): number[] => [...new Uint32Array(rom.buffer)];
  expect(words(resetRom({ xlen: 64, start: 0x80000000, fdt: 0x8fe00000, next: 0x80200000 }))).toEqual([
    0x00000297, 0x02828613, 0xf1402573, 0x0202b583, 0x0182b283, 0x00028067, 0x80000000, 0, 0x8fe00000, 0, 0x4942534f, 0,
    2, 0, 0x80200000, 0, 1, 0, 0, 0, 0, 0,
  ]);
  expect(words(resetRom({ xlen: 32, start: 0x80000000, fdt: 0x8fe00000, next: 0 }))).toEqual([
    0x00000297, 0x02828613, 0xf1402573, 0x0202a583, 0x0182a283, 0x00028067, 0x80000000, 0, 0x8fe00000, 0, 0x4942534f, 2,
    0, 1, 0, 0,
  ]);
});
