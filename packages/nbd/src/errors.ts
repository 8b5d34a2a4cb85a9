import type { UserError } from "@mimus/qom";
import type { BlockErrorKind } from "@mimus/block";
import { asBlockError } from "@mimus/block";
import { ERRNO } from "./constants.ts";

/** What kind of thing went wrong between the two ends. */
export type NbdErrorKind =
  /** The stream ended. */
  | "closed"
  /** The other end broke the rules of the protocol. */
  | "protocol"
  /** The other end refused what it was asked for. */
  | "refused"
  /** Encryption is missing, or failed. */
  | "tls";

/** An error of the conversation; errors of single requests are BlockError. */
export class NbdError extends Error implements UserError {
  /** A message for people: no stack is shown. */
  readonly forUser = true;
  /** What programs test. */
  readonly kind: NbdErrorKind;

  constructor(kind: NbdErrorKind, message: string, context: { cause?: unknown } = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "NbdError";
    this.kind = kind;
  }
}

const NUMBER_OF_KIND: Readonly<Partial<Record<BlockErrorKind, number>>> = {
  "no-space": ERRNO.ENOSPC,
  "read-only": ERRNO.EPERM,
  permission: ERRNO.EPERM,
  "out-of-range": ERRNO.EINVAL,
  "unsupported-feature": ERRNO.ENOTSUP,
  closed: ERRNO.ESHUTDOWN,
};

/** The number that a client gets for an error of a node, and a line for people. */
export function errorNumber(error: unknown): { readonly number: number; readonly message: string } {
  const block = asBlockError(error, "request");
  return { number: NUMBER_OF_KIND[block.kind] ?? ERRNO.EIO, message: block.message };
}

const NAMES: Readonly<Record<number, readonly [BlockErrorKind, string]>> = {
  [ERRNO.EPERM]: ["permission", "Operation not permitted"],
  [ERRNO.EIO]: ["io", "Input/output error"],
  [ERRNO.ENOMEM]: ["io", "Cannot allocate memory"],
  [ERRNO.EINVAL]: ["io", "Invalid argument"],
  [ERRNO.ENOSPC]: ["no-space", "No space left on device"],
  [ERRNO.EOVERFLOW]: ["io", "Value too large for defined data type"],
  [ERRNO.ENOTSUP]: ["unsupported-feature", "Operation not supported"],
  [ERRNO.ESHUTDOWN]: ["closed", "The server shuts down"],
};

/** Kind and words for the error number of a reply. Unknown numbers count as EINVAL (section "Error values"). */
export function errorName(number: number): readonly [BlockErrorKind, string] {
  return NAMES[number] ?? ["io", `Invalid argument (error ${number})`];
}
