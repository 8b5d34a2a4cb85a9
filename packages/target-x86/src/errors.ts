import type { UserError } from "@mimus/qom";

/** Why a CPU could not be made. */
export type X86ErrorKind = "bad-feature" | "bad-property" | "bad-state";

/** The one error of this package: a user asked for a CPU that can't be, or a snapshot holds one. */
export class X86Error extends Error implements UserError {
  readonly forUser = true;
  readonly kind: X86ErrorKind;
  constructor(kind: X86ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "X86Error";
    this.kind = kind;
  }
}
