/** What the user gave. */
export interface LoaderInput {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array | undefined;
  readonly append: string | undefined;
  /** Bytes of RAM from address 0 on. */
  readonly lowRam: number;
}

/** Bytes at a physical address. */
export interface Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Pieces of a file in memory, zeroes around them: as long as the memory, but holding no more than the file. */
export class Scattered {
  /** Bytes of memory. */
  readonly length: number;
  readonly #parts: readonly { readonly at: number; readonly bytes: Uint8Array }[];

  /** `parts`: each at an offset, inside; where two overlap the later one counts. */
  constructor(length: number, parts: readonly { readonly at: number; readonly bytes: Uint8Array }[]) {
    this.length = length;
    this.#parts = parts;
  }

  /** Fills `into` with the bytes from `from` on. */
  copyTo(from: number, into: Uint8Array): void {
    into.fill(0);
    for (const { at, bytes } of this.#parts) {
      const start = Math.max(at, from);
      const end = Math.min(at + bytes.length, from + into.length);
      if (start < end) into.set(bytes.subarray(start - at, end - at), start - from);
    }
  }
}

/** Memory from a physical address on. */
export interface ScatteredPiece {
  readonly address: number;
  readonly bytes: Scattered;
}

/** A kernel as the option ROM loads it. */
export interface KernelImage {
  readonly mode: "linux" | "multiboot" | "pvh";
  /** Linux: the setup code; else what the kernel is told. Its segment holds the loader's stack. */
  readonly setup: Piece;
  readonly kernel: ScatteredPiece;
  readonly commandLine: Piece;
  readonly initrd: Piece | undefined;
  /** Where a kernel in protected mode starts. */
  readonly entry: number;
}

/** Text with a zero behind it. */
export function text(line: string | undefined): Uint8Array {
  return Uint8Array.from(`${line ?? ""}\0`, (c) => c.charCodeAt(0) & 0xff);
}
