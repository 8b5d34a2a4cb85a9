import type { UserError } from "@mimus/qom";

/** At the start of a further line of a message: the program's name stands before that line too. */
export const NAMED = "\0";

/** A failure of a tool: the message is printed after the program's name, and the process ends with `code`. */
export class ToolError extends Error implements UserError {
  override readonly name = "ToolError";
  /** A message for people: no stack is shown. */
  readonly forUser = true;
  /** Exit status; default 1. */
  readonly code: number;
  /** Print where to find help as well. */
  readonly hint: boolean;

  constructor(message: string, opts: { code?: number; hint?: boolean; cause?: unknown } = {}) {
    super(message, opts.cause === undefined ? undefined : { cause: opts.cause });
    this.code = opts.code ?? 1;
    this.hint = opts.hint ?? false;
  }
}

/** A mistake in the arguments. */
export function usage(message: string): ToolError {
  return new ToolError(message, { hint: true });
}

/** Exit status after Ctrl-C. */
export const INTERRUPTED = 130;

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
