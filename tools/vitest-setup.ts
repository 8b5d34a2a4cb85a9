import { expect } from "vitest";

/**
 * Finds typed arrays of the same bytes equal at once. The comparison of vitest makes a string of every index: seconds for a disk of a few megabytes.
 * What differs, and all else, is left to it.
 */
function sameBytes(a: unknown, b: unknown): true | undefined {
  if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.byteLength !== b.byteLength) return undefined;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return undefined;
  const left = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const right = new Uint8Array(b.buffer, b.byteOffset, b.byteLength);
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return undefined;
  return true;
}

// Files share their worker: one tester is enough.
const added = globalThis as { mimusSameBytes?: true };
if (!added.mimusSameBytes) expect.addEqualityTesters([sameBytes]);
added.mimusSameBytes = true;
