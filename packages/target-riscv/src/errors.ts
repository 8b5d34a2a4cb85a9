import type { UserError } from "@mimus/qom";

/** Why a CPU could not be made. */
export type RiscvErrorKind = "bad-extension" | "bad-property" | "bad-state";

/** The one error of this package: a user asked for a hart that can't be, or a snapshot holds one. */
export class RiscvError extends Error implements UserError {
  readonly forUser = true;
  readonly kind: RiscvErrorKind;
  constructor(kind: RiscvErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "RiscvError";
    this.kind = kind;
  }
}
