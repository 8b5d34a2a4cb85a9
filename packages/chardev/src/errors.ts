export type CharErrorKind = "busy" | "bad-option" | "unknown-backend" | "not-found" | "io" | "unsupported";

/** A failure of a character device, worded for the user. */
export class CharError extends Error {
  override readonly name = "CharError";
  readonly kind: CharErrorKind;
  constructor(kind: CharErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}
