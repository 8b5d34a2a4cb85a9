/** A mistake on the command line: printed as one line, exit status 1, no stack trace. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
