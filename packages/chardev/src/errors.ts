import type { UserError } from "@mimus/qom";

/** What kind of thing went wrong: the closed set that programs test for. */
export type CharErrorKind = "busy" | "bad-option" | "unknown-backend" | "not-found" | "io" | "unsupported";

/** A failure of a character device, worded for the user. */
export class CharError extends Error implements UserError {
  override readonly name = "CharError";
  readonly forUser = true;
  /** What programs test. */
  readonly kind: CharErrorKind;
  constructor(kind: CharErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}
