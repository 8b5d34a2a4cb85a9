import { BlockError } from "@mimus/block";
import { DecodeError } from "@mimus/compress";

/**
 * True when `e` is an answer that a user may get: a BlockError. One of kind "io" must come from the host (an error with
 * a POSIX code) or from packed data: the graph wraps whatever a driver throws, so a TypeError inside a driver looks like one.
 */
export function isRefusal(e: unknown): e is BlockError {
  if (!(e instanceof BlockError)) return false;
  if (e.kind !== "io" || e.cause === undefined) return true;
  if (e.cause instanceof BlockError) return isRefusal(e.cause);
  if (e.cause instanceof DecodeError) return true; // packed data that are none
  return e.cause instanceof Error && "code" in e.cause && typeof e.cause.code === "string";
}

/** Name and stack of the error behind an error. */
export function describeFailure(e: unknown): string {
  if (e instanceof BlockError && e.cause !== undefined) return `${e.message} < ${describeFailure(e.cause)}`;
  return e instanceof Error ? (e.stack ?? e.message) : String(e);
}
