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

/** A kernel as the option ROM loads it. */
export interface KernelImage {
  readonly mode: "linux" | "multiboot" | "pvh";
  /** Linux: the setup code; else what the kernel is told. Its segment holds the loader's stack. */
  readonly setup: Piece;
  readonly kernel: Piece;
  readonly commandLine: Piece;
  readonly initrd: Piece | undefined;
  /** Where a kernel in protected mode starts. */
  readonly entry: number;
}

/** Text with a zero behind it. */
export function text(line: string | undefined): Uint8Array {
  return Uint8Array.from(`${line ?? ""}\0`, (c) => c.charCodeAt(0) & 0xff);
}
