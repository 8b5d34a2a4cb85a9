/** Bytes around a base that one look at the TLB serves: what accesses want of it, and what is known once it was found. */

/** A base and a constant beside it. */
export interface Place {
  /** What the base is: an operation of the block, or `-1 - g` for what global g holds where the block begins. */
  readonly key: number;
  readonly by: number;
}

/** What accesses through one base want, relative to it: bytes from `low` up to, not including, `high`. */
export interface Wanted {
  readonly low: number;
  readonly high: number;
  readonly write: boolean;
  /** TLB. */
  readonly mmu: number;
  /** Accesses. */
  readonly count: number;
  /** Bytes that the base plus `at` has to be a multiple of. */
  readonly align: number;
  readonly at: number;
}

/** What is known: all these bytes lie in one page of RAM that may be read, and stored to if `write`. */
export interface Span {
  /** The local with the host address of the byte at `low`, which is a multiple of `align`; {@link NOWHERE}: a look did not find it. */
  readonly host: number;
  readonly low: number;
  readonly high: number;
  readonly align: number;
  readonly write: boolean;
  readonly mmu: number;
}

/** One access, relative to its base. */
export interface At {
  readonly offset: number;
  readonly bytes: number;
  readonly write: boolean;
  readonly mmu: number;
  /** It has to be aligned. */
  readonly aligned: boolean;
}

export const NOWHERE = -1;
/** The base's surroundings are not to be looked for: that failed too often. */
export const APART: Span = { host: NOWHERE, low: 0, high: 0, align: 1, write: false, mmu: 0 };

/** Bytes that a span reaches over at most: the more, the more often it crosses a page boundary. */
const WIDEST = 512;
/** A base that has moved this far says nothing any more. */
const FAR = 0x10000;

const modulo = (n: number, by: number): number => ((n % by) + by) % by;

/** Both, where one span can serve both; else the first. */
export function join(a: Wanted, b: Wanted): Wanted {
  const low = Math.min(a.low, b.low);
  const high = Math.max(a.high, b.high);
  if (a.mmu !== b.mmu || high - low > WIDEST || modulo(a.at - b.at, Math.min(a.align, b.align)) !== 0) return a;
  const { align, at } = a.align >= b.align ? a : b;
  return { low, high, write: a.write || b.write, mmu: a.mmu, count: a.count + b.count, align, at };
}

/** The same bytes, relative to a base that lies `by` lower. */
export const raised = (a: Wanted, by: number): Wanted => ({ ...a, low: a.low + by, high: a.high + by, at: a.at + by });

/** The span to look for: as wanted, from a multiple of its alignment to one. */
export function rounded({ low, high, align, at }: Wanted): { low: number; high: number } {
  const from = low - modulo(low - at, align);
  return { low: from, high: high + modulo(from - high, align) };
}

/** Whether an access is one of the span. */
export function serves(span: Span, { offset, bytes, write, mmu, aligned }: At): boolean {
  if (span.host === NOWHERE || span.mmu !== mmu || (write && !span.write)) return false;
  if (offset < span.low || offset + bytes > span.high) return false;
  return !aligned || (bytes <= span.align && modulo(offset - span.low, bytes) === 0);
}

/** The same bytes, relative to a base that lies `by` higher; undefined when that is too far away. */
export function moved(span: Span, by: number): Span | undefined {
  if (span.host === NOWHERE) return span;
  const low = span.low - by;
  return Math.abs(low) > FAR ? undefined : { ...span, low, high: span.high - by };
}

/** What is known by two ways to a place. */
export function meet<K>(a: ReadonlyMap<K, Span>, b: ReadonlyMap<K, Span>): Map<K, Span> {
  const out = new Map<K, Span>();
  for (const [key, x] of a) {
    const y = b.get(key);
    if (y === undefined || x.host !== y.host || x.low !== y.low || x.mmu !== y.mmu) continue;
    const both = { align: Math.min(x.align, y.align), write: x.write && y.write };
    out.set(key, { ...x, high: Math.min(x.high, y.high), ...both });
  }
  return out;
}
