import { assemble } from "@mimus/target-riscv";

/** A program header; what is not given follows from the code. */
interface Segment {
  type?: number;
  flags?: number;
  offset?: bigint;
  address?: bigint;
  fileSize?: bigint;
  memorySize?: bigint;
  align?: bigint;
}

export interface ElfOptions {
  machine?: number;
  elfClass?: number;
  data?: number;
  type?: number;
  entry?: bigint;
  headerAt?: bigint;
  headerCount?: number;
  headerSize?: number;
  /** Instead of the one segment that holds the code. */
  segments?: readonly Segment[];
  /** Where the code is loaded, a page. */
  origin?: bigint;
}

const CODE_AT = 0x1000;

/** A static ELF file with `source` at offset 0x1000. Source: System V ABI, "Object files". */
export function program(source: string, options: ElfOptions = {}): Uint8Array {
  const origin = options.origin ?? 0x10000n;
  const code = assemble(source, { xlen: 64, origin: origin + BigInt(CODE_AT) }).bytes;
  const segments: readonly Segment[] = options.segments ?? [{}];
  const bytes = new Uint8Array(CODE_AT + code.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, options.elfClass ?? 2, options.data ?? 1, 1]);
  view.setUint16(16, options.type ?? 2, true);
  view.setUint16(18, options.machine ?? 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, options.entry ?? origin + BigInt(CODE_AT), true);
  view.setBigUint64(32, options.headerAt ?? 64n, true);
  view.setUint32(48, 5, true); // RVC, double-precision ABI
  view.setUint16(52, 64, true);
  view.setUint16(54, options.headerSize ?? 56, true);
  view.setUint16(56, options.headerCount ?? segments.length, true);
  segments.forEach((s, i) => {
    const at = 64 + 56 * i;
    const size = BigInt(bytes.length);
    view.setUint32(at, s.type ?? 1, true);
    view.setUint32(at + 4, s.flags ?? 7, true);
    const values = [s.offset ?? 0n, s.address ?? origin, s.address ?? origin, s.fileSize ?? size];
    [...values, s.memorySize ?? s.fileSize ?? size, s.align ?? 0x1000n].forEach((value, j) =>
      view.setBigUint64(at + 8 + 8 * j, BigInt.asUintN(64, value), true),
    );
  });
  bytes.set(code, CODE_AT);
  return bytes;
}
