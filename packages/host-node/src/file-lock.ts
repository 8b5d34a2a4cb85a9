import { BlockError, type LockRequest, permissionName } from "@mimus/block";

import { libc } from "./libc.ts";

/** First byte of the ranges. Source: measured at QEMU 7.2's image files in /proc/locks. */
const USES_BASE = 100;
const SHARES_BASE = 200;
const BITS = 4;

/** The locks that one open file holds: bytes that say what it uses, and what it does not share. */
export class FileLock {
  readonly #fd: number;
  readonly #path: string;
  #held: LockRequest = { uses: 0, shares: 15 };

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  /** Takes what is asked for, in place of what was held. @throws BlockError "locked" with what was held before. */
  set(wanted: LockRequest): void {
    const calls = libc();
    if (!calls) return;
    const before = this.#held;
    // New bytes first, then a look at the others', so that two that do the same at once cannot both go on.
    this.#apply({ uses: before.uses | wanted.uses, shares: before.shares & wanted.shares });
    for (let bit = 0; bit < BITS; bit++) {
      const mask = 1 << bit;
      const uses = (wanted.uses & mask) !== 0 && calls.byteLocked(this.#fd, SHARES_BASE + bit);
      const shares = (wanted.shares & mask) === 0 && calls.byteLocked(this.#fd, USES_BASE + bit);
      if (!uses && !shares) continue;
      this.#apply(before);
      throw new BlockError(
        "locked",
        `Failed to get ${uses ? "" : "shared "}"${permissionName(bit)}" lock\nIs another process using the image [${this.#path}]?`,
      );
    }
    this.#apply(wanted);
  }

  #apply(wanted: LockRequest): void {
    const held = this.#held;
    for (let bit = 0; bit < BITS; bit++) {
      const mask = 1 << bit;
      if ((held.uses ^ wanted.uses) & mask) this.#byte(USES_BASE + bit, (wanted.uses & mask) !== 0);
      if ((held.shares ^ wanted.shares) & mask) this.#byte(SHARES_BASE + bit, (wanted.shares & mask) === 0);
    }
    this.#held = wanted;
  }

  #byte(at: number, on: boolean): void {
    const result = libc()?.lockByte(this.#fd, at, on) ?? 0;
    if (result < 0 && on)
      throw new BlockError(
        "locked",
        `Failed to lock byte ${at}\nIs another process using the image [${this.#path}]? (file.locking=off skips the check)`,
      );
  }
}
