import type { UserError } from "./user-error.ts";

/** What went wrong, for programs; the message is for people. */
export type QomErrorKind =
  | "duplicate-type"
  | "unknown-type"
  | "bad-type"
  | "abstract-type"
  | "not-user-creatable"
  | "unknown-property"
  | "bad-property"
  | "read-only-property"
  | "bad-path"
  | "ambiguous-path"
  | "duplicate-child"
  | "bad-plugin"
  | "provider-clash";

/** An error of the object model: a wrong name, value, path or plugin. */
export class QomError extends Error implements UserError {
  /** A message for people: no stack is shown. */
  readonly forUser = true;
  /** What programs test. */
  readonly kind: QomErrorKind;
  /** Where: a type, a property, a path or a package name. */
  readonly at?: string;

  constructor(kind: QomErrorKind, message: string, options: { at?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "QomError";
    this.kind = kind;
    if (options.at !== undefined) this.at = options.at;
  }
}
