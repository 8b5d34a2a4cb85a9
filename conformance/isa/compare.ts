/** Where two results of a batch differ, in words. */
import { createDisassembler } from "@mimus/target-riscv";
import type { Case } from "./cases.ts";
import { RECORD, type Program } from "./program.ts";

/** One differing case. */
export interface Difference {
  readonly index: number;
  readonly name: string;
  readonly text: string;
}

const hex = (v: bigint): string => `0x${v.toString(16).padStart(16, "0")}`;

/** All cases whose records differ. */
export function compareRecords(
  xlen: 32 | 64,
  cases: readonly Case[],
  program: Program,
  ours: Buffer,
  theirs: Buffer,
): Difference[] {
  if (ours.equals(theirs)) return [];
  const out: Difference[] = [];
  cases.forEach((c, i) => {
    const from = i * RECORD.size;
    const a = ours.subarray(from, from + RECORD.size);
    const b = theirs.subarray(from, from + RECORD.size);
    if (a.equals(b)) return;
    const start = Buffer.from(program.image.buffer, program.records.offset + from, RECORD.size);
    const lines = [
      `${c.encoding.part} ${c.encoding.name}: ${disassemble(xlen, c)}  fcsr before ${hex(start.readBigUInt64LE(RECORD.fcsr))}`,
    ];
    for (let at = 0; at < RECORD.size; at += 8) {
      const [x, y, z] = [a.readBigUInt64LE(at), b.readBigUInt64LE(at), start.readBigUInt64LE(at)];
      if (x !== y) lines.push(`  ${label(at)}: was ${hex(z)}, ours ${hex(x)}, oracle ${hex(y)}`);
    }
    for (const n of operands(c))
      lines.push(`  ${n < 32 ? "x" : "f"}${n % 32} was ${hex(start.readBigUInt64LE(8 * n))}`);
    out.push({ index: i, name: c.encoding.name, text: lines.join("\n") });
  });
  return out;
}

function label(at: number): string {
  if (at === 0) return "stub";
  if (at < RECORD.f) return `x${at / 8}`;
  if (at < RECORD.fcsr) return `f${(at - RECORD.f) / 8}`;
  if (at === RECORD.fcsr) return "fcsr";
  return at === RECORD.taken ? "taken" : `memory+${at - RECORD.window}`;
}

function disassemble(xlen: 32 | 64, c: Case): string {
  const dis = createDisassembler(xlen, { aliases: false });
  return c.encoding.code
    .map(
      ({ word, bytes }) =>
        dis(
          0n,
          Uint8Array.from({ length: bytes }, (_, i) => (word >>> (8 * i)) & 255),
        ).text,
    )
    .join("; ");
}

/** Registers a 32-bit encoding may read, both files. */
function operands(c: Case): number[] {
  const { word, bytes } = c.encoding.code.at(-1) ?? { word: 0, bytes: 4 };
  const fields = bytes === 4 ? [15, 20, 27] : [7, 2];
  return fields.flatMap((bit) => [(word >>> bit) & 31, 32 + ((word >>> bit) & 31)]);
}
