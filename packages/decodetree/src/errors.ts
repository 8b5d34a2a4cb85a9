/** What can be wrong with a table, or with a value or text given to its encoder. */
export type DecodeTreeErrorKind =
  | "bad-width"
  | "pattern-length"
  | "pattern-character"
  | "field-range"
  | "field-fixed"
  | "field-overlap"
  | "bits-uncovered"
  | "pattern-overlap"
  | "duplicate-name"
  | "translator-missing"
  | "unknown-format-field"
  | "unknown-operand-kind"
  | "value-range"
  | "value-missing"
  | "syntax";

/** The one error class of this package; `at` names the instruction concerned. */
export class DecodeTreeError extends Error {
  override readonly name = "DecodeTreeError";
  /** What programs test. */
  readonly kind: DecodeTreeErrorKind;
  readonly at: string | undefined;
  constructor(kind: DecodeTreeErrorKind, message: string, at?: string) {
    super(at === undefined ? message : `${at}: ${message}`);
    this.kind = kind;
    this.at = at;
  }
}
