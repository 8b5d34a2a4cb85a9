import type { UserError } from "@mimus/qom";

/** What went wrong, for programs; the message is for people. */
export type MachineErrorKind =
  | "bad-region"
  | "out-of-memory"
  | "bad-irq"
  | "no-bus"
  | "no-backend"
  | "duplicate-id"
  | "bad-device"
  | "realize-failed"
  | "not-realized"
  | "unsupported"
  | "bad-snapshot"
  | "snapshot-version"
  | "snapshot-mismatch";

/** A user's or programmer's mistake in building, changing or loading a machine. Guests never cause one. */
export class MachineError extends Error implements UserError {
  readonly forUser = true;
  readonly kind: MachineErrorKind;
  /** Where: a path, a region or a property. */
  readonly at?: string;

  constructor(kind: MachineErrorKind, message: string, options: { at?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MachineError";
    this.kind = kind;
    if (options.at !== undefined) this.at = options.at;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
