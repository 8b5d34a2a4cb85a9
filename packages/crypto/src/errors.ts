/** What is wrong with a key, a header or an option; the kinds are those of the block layer. */
export type CryptoErrorKind = "bad-option" | "corrupt" | "not-this-format" | "permission" | "unsupported-feature";

/** An error of this package: `kind` for programs, `at` = byte offset in the header that it is about. */
export class CryptoError extends Error {
  /** What programs test. */
  readonly kind: CryptoErrorKind;
  /** Byte offset in the header that it is about. */
  readonly at: number | undefined;

  constructor(kind: CryptoErrorKind, message: string, at?: number) {
    super(message);
    this.name = "CryptoError";
    this.kind = kind;
    this.at = at;
  }
}
