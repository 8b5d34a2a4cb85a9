/** What can be wrong with assembly source. */
export type AsmErrorKind =
  | "unknown-mnemonic"
  | "operand"
  | "unknown-symbol"
  | "duplicate-symbol"
  | "directive"
  | "expression";

/** The assembler's error; `line` counts from 1. */
export class AsmError extends Error {
  override readonly name = "AsmError";
  readonly kind: AsmErrorKind;
  readonly line: number;
  constructor(kind: AsmErrorKind, message: string, line: number, cause?: unknown) {
    super(`line ${line}: ${message}`, { cause });
    this.kind = kind;
    this.line = line;
  }
}
