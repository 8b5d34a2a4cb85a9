import type { Encoding } from "../insn.ts";

/** A row of an encoding table that can't be: names the row. */
export class RowError extends Error {
  override readonly name = "RowError";
  readonly kind = "row";

  constructor(row: Encoding, what: string) {
    super(`${row.name} "${row.enc}" (${row.operands}): ${what}`);
  }
}
