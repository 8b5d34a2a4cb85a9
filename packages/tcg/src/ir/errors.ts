/**
 * What went wrong: `type` operand types do not fit, `verify` the block breaks a rule of the IR, `parse` the text is
 * not IR, `unknown` a name is not declared, `binary` bytes are not the WebAssembly that is made here.
 */
export type IrErrorKind = "type" | "verify" | "parse" | "unknown" | "binary";

/** A mistake in the use of the IR: a bug in a translator or a pass, or a wrong text. */
export class IrError extends Error {
  readonly kind: IrErrorKind;
  /** Line of the text (parse), index of the operation (verify) or offset of the byte (binary), where known. */
  readonly at: number | undefined;

  constructor(kind: IrErrorKind, message: string, at?: number) {
    super(message);
    this.name = "IrError";
    this.kind = kind;
    this.at = at;
  }
}
