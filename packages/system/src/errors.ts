import type { UserError } from "@mimus/qom";

/** A machine that cannot be assembled as asked, or an operation that does not fit its state. */
export class SystemError extends Error implements UserError {
  override readonly name = "SystemError";
  readonly forUser = true;
  readonly kind: "bad-option" | "unknown-cpu" | "no-memory" | "bad-state";

  constructor(kind: SystemError["kind"], message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
  }
}
