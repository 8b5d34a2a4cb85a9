import { BoardError } from "./errors.ts";
import { isElf, readElf } from "./elf.ts";
import type { BootImages } from "./images.ts";
import { range } from "./images.ts";
import { type MemoryWindow, MIB } from "../memmap.ts";

/** Below this address is where a 32-bit kernel can reach its device tree. */
const FDT_CEILING = 3072 * MIB;

/** Puts firmware into memory. @returns the first address behind it */
export function loadFirmware(images: BootImages, bytes: Uint8Array, xlen: 32 | 64, ram: MemoryWindow): number {
  if (bytes.length === 0) throw new BoardError("bad-image", "firmware: the file is empty");
  if (!isElf(bytes)) {
    images.add("firmware", ram.base, bytes);
    return ram.base + bytes.length;
  }
  return addElf(images, bytes, "firmware", xlen).high;
}

/**
 * Puts a kernel into memory: an ELF file where it says, anything else at the first boundary of 2 MiB (RV64) or 4 MiB (RV32) behind the
 * firmware. @returns where it begins
 */
export function loadKernel(images: BootImages, bytes: Uint8Array, xlen: 32 | 64, firmwareEnd: number): number {
  if (bytes.length === 0) throw new BoardError("bad-image", "kernel: the file is empty");
  if (isElf(bytes)) return addElf(images, bytes, "kernel", xlen).low;
  const align = (xlen === 64 ? 2 : 4) * MIB;
  const at = Math.ceil(firmwareEnd / align) * align;
  images.add("kernel", at, bytes);
  return at;
}

/** Puts an initial RAM disk behind the kernel, far enough for the kernel to unpack itself. */
export function loadInitrd(images: BootImages, bytes: Uint8Array, kernel: number, ram: MemoryWindow): MemoryWindow {
  const base = kernel + Math.min(ram.size / 2, 128 * MIB);
  const room = Math.max(0, ram.base + ram.size - base);
  if (bytes.length > room) {
    throw new BoardError(
      "too-large",
      `initrd of ${bytes.length} bytes does not fit: ${room} bytes of RAM are free at 0x${base.toString(16)}; give the machine more memory (-m)`,
    );
  }
  if (bytes.length > 0) images.add("initrd", base, bytes);
  return { base, size: bytes.length };
}

/** The highest 2 MiB boundary with room for the device tree, in RAM and below 3 GiB. */
export function fdtAddress(size: number, ram: MemoryWindow): number {
  const end = ram.base + ram.size;
  const top = ram.base < FDT_CEILING ? Math.min(end, FDT_CEILING) : end;
  // One MiB at least: room for what the firmware adds.
  const at = Math.floor((top - Math.max(size, MIB)) / (2 * MIB)) * 2 * MIB;
  if (at < ram.base) {
    throw new BoardError(
      "too-large",
      `the device tree does not fit into RAM ${range(ram.base, end)}; give the machine at least 4 MiB (-m)`,
    );
  }
  return at;
}

function addElf(images: BootImages, bytes: Uint8Array, what: string, xlen: 32 | 64): { low: number; high: number } {
  const elf = readElf(bytes, what);
  if (elf.xlen !== xlen) {
    throw new BoardError(
      "bad-elf",
      `${what}: is a ${elf.xlen}-bit program, but this machine is ${xlen}-bit; use the riscv${elf.xlen} target`,
    );
  }
  for (const segment of elf.segments) images.add(what, segment.address, segment.bytes, segment.memorySize);
  return elf;
}
