/** Locked operations that the host has no instruction for: unaligned ones, and those on what is not RAM. */
import { EXCHANGE_IF } from "./atomics.ts";
import type { CodePages } from "./code-pages.ts";

/** Guest memory as a slow path has it: see `SoftTlb`. */
interface SlowMemory {
  atomicAddress(lo: number, hi: number, oi: number): number;
  load(lo: number, hi: number, oi: number): boolean;
  store(lo: number, hi: number, oi: number): boolean;
}
interface Operation {
  readonly lo: number;
  readonly hi: number;
  readonly oi: number;
}

/** Log2 of the size of the operation in a description, its number, its mmu index as a load has it. */
const log2Of = (oi: number): number => oi & 3;
const loadOi = (oi: number): number => (oi & 3) | (((oi >>> 8) & 7) << 4);

/** The value behind an operation, by the numbers of {@link import("./atomics.ts")}; little-endian targets only. */
function operate(oi: number, old: bigint, first: bigint, second: bigint): bigint {
  const bits = 8 << log2Of(oi);
  const cut = (n: bigint): bigint => BigInt.asUintN(bits, n);
  if ((oi & EXCHANGE_IF) !== 0) return old === cut(first) ? cut(second) : old;
  const signed = (n: bigint): bigint => BigInt.asIntN(bits, n);
  const operand = cut(first);
  switch ((oi >>> 2) & 15) {
    case 1:
      return cut(old + operand);
    case 2:
      return old & operand;
    case 3:
      return old | operand;
    case 4:
      return old ^ operand;
    case 5:
      return signed(old) < signed(operand) ? old : operand;
    case 6:
      return signed(old) > signed(operand) ? old : operand;
    case 7:
      return old < operand ? old : operand;
    case 8:
      return old > operand ? old : operand;
    default:
      return operand;
  }
}

/** An operation within one aligned word of 8 bytes; gives the old value. */
function operateInWord(words: BigInt64Array, host: number, oi: number, first: bigint, second: bigint): bigint {
  const shift = BigInt(8 * (host & 7));
  const mask = (1n << BigInt(8 << log2Of(oi))) - 1n;
  const at = host >>> 3;
  for (;;) {
    const word = Atomics.load(words, at);
    const old = (word >> shift) & mask;
    const next = operate(oi, old, first, second);
    const changed = BigInt.asIntN(64, (word & ~(mask << shift)) | (next << shift));
    if (Atomics.compareExchange(words, at, word, changed) === word) return old;
  }
}

/**
 * Finds the place of an operation whose operands are in the scratch words 1 and 2: an address that the host's own atomic
 * operations take; 0: it raised; 1: it is done, and word 0 has the old value. What the host cannot do at once (RAM across a
 * boundary of 8 bytes, registers of devices) is done under a lock: it is atomic with others of that kind only.
 */
export function lockedOperation(
  memory: SlowMemory, words: BigInt64Array, scratch: number, others: CodePages | undefined, op: Operation,
): number {
  const { lo, hi, oi } = op;
  const size = 1 << log2Of(oi);
  const host = memory.atomicAddress(lo, hi, loadOi(oi));
  if (host === 0) return 0;
  const inRam = host !== scratch + 8;
  if (inRam && (host & (size - 1)) === 0) return host;
  const at = scratch >>> 3;
  const first = words[at + 1]!;
  const second = (oi & EXCHANGE_IF) === 0 ? 0n : words[at + 2]!;
  if (inRam && (host & 7) + size <= 8) {
    words[at] = operateInWord(words, host >>> 0, oi, first, second);
    return 1;
  }
  others?.lock();
  try {
    if (!memory.load(lo, hi, loadOi(oi))) return 0;
    const old = BigInt.asUintN(8 << log2Of(oi), words[at]!);
    words[at] = operate(oi, old, first, second);
    if (!memory.store(lo, hi, loadOi(oi))) return 0;
    words[at] = old;
    return 1;
  } finally {
    others?.unlock();
  }
} // prettier-ignore
