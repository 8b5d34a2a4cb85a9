/** What went wrong in this package: `not-built` means that the WebAssembly module has not been generated. */
export class SoftfloatError extends Error {
  override readonly name = "SoftfloatError";
  readonly kind: "not-built";

  constructor(kind: "not-built", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
