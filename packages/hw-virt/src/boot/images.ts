import { BoardError } from "./errors.ts";
import type { MemoryWindow } from "../memmap.ts";

/** Bytes that are in memory whenever the machine comes out of reset. */
export interface BootImage {
  /** What it is, for messages: "kernel", "initrd", "device tree". */
  readonly what: string;
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory; the rest is zero. */
  readonly memorySize: number;
}

/** The pieces that are copied into RAM at every reset. They must lie in RAM and must not overlap. */
export class BootImages {
  readonly #ram: MemoryWindow;
  readonly list: BootImage[] = [];

  constructor(ram: MemoryWindow) {
    this.#ram = ram;
  }

  /** @throws BoardError when the image is not wholly in RAM or overlaps another */
  add(what: string, address: number, bytes: Uint8Array, memorySize: number = bytes.length): void {
    const { base, size } = this.#ram;
    const end = address + memorySize;
    if (address < base || end > base + size) {
      throw new BoardError(
        "too-large",
        `${what} needs ${range(address, end)}, but RAM is ${range(base, base + size)}; give the machine more memory (-m) or a smaller ${what}`,
      );
    }
    for (const other of this.list) {
      if (address < other.address + other.memorySize && other.address < end) {
        throw new BoardError(
          "overlap",
          `${what} at ${range(address, end)} overlaps ${other.what} at ${range(other.address, other.address + other.memorySize)}`,
        );
      }
    }
    this.list.push({ what, address, bytes, memorySize });
  }

  /** Copies everything into the memory and tells which ranges (byte offsets in it) were written. */
  install(ram: Uint8Array, written: (offset: number, length: number) => void): void {
    for (const image of this.list) {
      const at = image.address - this.#ram.base;
      ram.set(image.bytes, at);
      ram.fill(0, at + image.bytes.length, at + image.memorySize);
      written(at, image.memorySize);
    }
  }
}

/** A range of addresses for people: inclusive bounds in hexadecimal. */
export function range(from: number, to: number): string {
  return `0x${from.toString(16)}..0x${(to - 1).toString(16)}`;
}
