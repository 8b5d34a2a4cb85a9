import type { UserError } from "@mimus/qom";

/** A mistake on the command line: printed as one line, exit status 1, no stack trace. */
export class UsageError extends Error implements UserError {
  override readonly name = "UsageError";
  readonly forUser = true;
}
