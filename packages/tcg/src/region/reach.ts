/** What code may access without another look, relative to a base: bytes from `low` up to, not including, `high`. */
export interface Reach {
  readonly readLow: number;
  readonly readHigh: number;
  readonly writeLow: number;
  readonly writeHigh: number;
}

/** Nothing may be accessed. */
export const NOWHERE_REACHED: Reach = { readLow: 0, readHigh: 0, writeLow: 0, writeHigh: 0 };
/** A base that has moved this far says nothing any more. */
const FAR = 0x10000;

/** Whether an access of `bytes` at `offset` from the base is allowed. */
export function covers(reach: Reach, write: boolean, offset: number, bytes: number): boolean {
  return write
    ? reach.writeLow <= offset && offset + bytes <= reach.writeHigh
    : reach.readLow <= offset && offset + bytes <= reach.readHigh;
}

/** With what another look allows. */
export function widened(reach: Reach, write: boolean, low: number, high: number): Reach {
  return write ? { ...reach, writeLow: low, writeHigh: high } : { ...reach, readLow: low, readHigh: high };
}

/** The same bytes, relative to a base that lies `by` higher; undefined when that is nothing. */
export function moved(reach: Reach, by: number): Reach | undefined {
  if (Math.abs(by) > FAR) return undefined;
  const out: Reach = {
    readLow: reach.readLow - by,
    readHigh: reach.readHigh - by,
    writeLow: reach.writeLow - by,
    writeHigh: reach.writeHigh - by,
  };
  return Math.max(Math.abs(out.readLow), Math.abs(out.writeLow)) > FAR ? undefined : out;
}

/** What is allowed by two ways to a place. */
export function meet(a: ReadonlyMap<number, Reach>, b: ReadonlyMap<number, Reach>): Map<number, Reach> {
  const out = new Map<number, Reach>();
  for (const [key, x] of a) {
    const y = b.get(key);
    if (y === undefined) continue;
    const both: Reach = {
      readLow: Math.max(x.readLow, y.readLow),
      readHigh: Math.min(x.readHigh, y.readHigh),
      writeLow: Math.max(x.writeLow, y.writeLow),
      writeHigh: Math.min(x.writeHigh, y.writeHigh),
    };
    if (both.readLow < both.readHigh || both.writeLow < both.writeHigh) out.set(key, both);
  }
  return out;
}
