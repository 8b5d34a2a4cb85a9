/** ELF files made by hand. Source: System V ABI gABI, chapters 4 and 5. */

/** A program header. */
export interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
  readonly memory?: number;
}

/** A little-endian executable of `size` bytes with these program headers. */
export function elfFile(
  bits: 32 | 64,
  machine: number,
  entry: number,
  segments: readonly Segment[],
  size = 4096,
): Uint8Array {
  const out = Buffer.alloc(size);
  const wide = bits === 64;
  out.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  out.writeUInt16LE(2, 16);
  out.writeUInt16LE(machine, 18);
  out.writeUInt32LE(1, 20);
  const word = (value: number, at: number): void =>
    void (wide ? out.writeBigUInt64LE(BigInt(value), at) : out.writeUInt32LE(value, at));
  const table = wide ? 64 : 52;
  const entrySize = wide ? 56 : 32;
  word(entry, 24);
  word(table, wide ? 32 : 28);
  out.writeUInt16LE(table, wide ? 52 : 40);
  out.writeUInt16LE(entrySize, wide ? 54 : 42);
  out.writeUInt16LE(segments.length, wide ? 56 : 44);
  segments.forEach(({ type, offset, address, bytes, memory = bytes }, i) => {
    const at = table + i * entrySize;
    out.writeUInt32LE(type, at);
    if (wide) {
      out.writeUInt32LE(7, at + 4);
      [offset, address, address, bytes, memory, 4096].forEach((value, k) => word(value, at + 8 + 8 * k));
    } else {
      [offset, address, address, bytes, memory].forEach((value, k) => word(value, at + 4 + 4 * k));
      out.writeUInt32LE(7, at + 24);
      out.writeUInt32LE(4096, at + 28);
    }
  });
  return new Uint8Array(out);
}
