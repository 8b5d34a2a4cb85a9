import type { UserError } from "@mimus/qom";

/** What kind of thing went wrong: the closed set that programs test for. */
export type BlockErrorKind =
  | "bad-option"
  | "closed"
  | "corrupt"
  | "in-use"
  | "io"
  | "locked"
  | "no-space"
  | "not-found"
  | "not-this-format"
  | "out-of-range"
  | "permission"
  | "read-only"
  | "shrunk"
  | "unsupported-feature";

/** An error of the block layer: `kind` for programs, the message for people, `at` = byte offset in the image. */
export class BlockError extends Error implements UserError {
  /** A message for people: no stack is shown. */
  readonly forUser = true;
  /** What programs test. */
  readonly kind: BlockErrorKind;
  /** Byte offset in the image that the error is about; undefined: about no place. */
  readonly at: number | undefined;
  /** The user has been told: a node below the one that it passes through has warned of it. */
  told = false;

  constructor(kind: BlockErrorKind, message: string, context: { at?: number; cause?: unknown } = {}) {
    super(
      kind === "locked" ? message : oneLine(message),
      context.cause === undefined ? undefined : { cause: context.cause },
    );
    this.name = "BlockError";
    this.kind = kind;
    this.at = context.at;
  }
}

/** What an image calls things ends up in messages: control characters are shown as numbers, so that a message stays one line. (What the host says of a lock has two, as QEMU's has.) */
export function oneLine(message: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return message.replace(/[\0-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Kinds that errors of other packages (ciphers) may carry: they pass with their own message. */
const KINDS: ReadonlySet<BlockErrorKind> = new Set<BlockErrorKind>([
  "bad-option",
  "corrupt",
  "not-this-format",
  "permission",
  "unsupported-feature",
]);

/** Host error codes (POSIX names, as Node gives them) with a kind of their own; any other is "io". */
const KIND_OF_CODE: Readonly<Record<string, BlockErrorKind>> = {
  ENOSPC: "no-space",
  EDQUOT: "no-space",
  EFBIG: "no-space",
  EROFS: "read-only",
  EACCES: "permission",
  EPERM: "permission",
  ENOENT: "not-found",
  EAGAIN: "locked",
  EWOULDBLOCK: "locked",
};

/** Wraps whatever a host file threw; a BlockError passes unchanged. `what` names the file and the act. */
export function asBlockError(cause: unknown, what: string, at?: number): BlockError {
  if (cause instanceof BlockError) return cause;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  if (cause instanceof Error && "kind" in cause && KINDS.has(cause.kind as BlockErrorKind))
    return new BlockError(cause.kind as BlockErrorKind, cause.message, at === undefined ? { cause } : { at, cause });
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BlockError(KIND_OF_CODE[code] ?? "io", `${what}: ${text}`, at === undefined ? { cause } : { at, cause });
}
