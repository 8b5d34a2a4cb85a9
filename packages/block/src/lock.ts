/** What a user of a file does with it, and what it lets others do: bits of {@link PERMISSION}. */
export interface LockRequest {
  /** What it does with the file. */
  readonly uses: number;
  /** What others may do meanwhile. */
  readonly shares: number;
}

/** Source: QEMU 7.2, `BlockPermission`; each is one byte of the lock ranges that start at 100 and 200. */
export const PERMISSION = { read: 1, write: 2, writeUnchanged: 4, resize: 8 } as const;
/** All of them. */
const ALL_PERMISSIONS = 15;

const NAMES: readonly string[] = ["consistent read", "write", "write unchanged", "resize"];

/** Name of permission number `bit`, for messages. */
export function permissionName(bit: number): string {
  return NAMES[bit] ?? String(bit);
}

/** What stands on a file: it decides what may be shared. */
export type LockUse = "format" | "raw" | "device";

/**
 * The lock of a file node. A format keeps others from writing and resizing; bytes under a device keep others from
 * writing; bytes that a tool has open are shared, as qemu-io and qemu-img do.
 */
export function lockFor(use: LockUse, readOnly: boolean, forceShare: boolean): LockRequest {
  const { read, write, resize } = PERMISSION;
  const uses = readOnly ? read : use === "format" ? read | write | resize : read | write;
  const kept = use === "format" ? write | resize : use === "device" ? write : 0;
  return { uses, shares: forceShare ? ALL_PERMISSIONS : ALL_PERMISSIONS & ~kept };
}
