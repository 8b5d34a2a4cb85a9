/**
 * Remembers roughly where superpages were handed to the TLB, which holds 4 KiB pieces of them: SFENCE.VMA for one
 * address inside a superpage must drop every piece, and that takes a whole flush.
 */
export class LargePages {
  /** One range for each half of the address space (user, kernel), grown until it covers every superpage there. */
  readonly #half: readonly [Range, Range] = [new Range(), new Range()];

  clear(): void {
    this.#half[0].bits = this.#half[1].bits = 0;
  }

  /** A superpage of 2^`bits` bytes at the address. */
  note(lo: number, hi: number, bits: number): void {
    this.#half[hi < 0 ? 1 : 0].grow(lo, hi, bits);
  }

  /** Could the address be in a superpage? */
  covers(lo: number, hi: number): boolean {
    return this.#half[hi < 0 ? 1 : 0].covers(lo, hi);
  }
}

/** An aligned power-of-two range: empty while `bits` is 0. */
class Range {
  lo = 0;
  hi = 0;
  bits = 0;

  grow(lo: number, hi: number, bits: number): void {
    if (this.bits === 0) {
      this.lo = lo;
      this.hi = hi;
      this.bits = bits;
      return;
    }
    const differHi = this.hi ^ hi;
    const differLo = this.lo ^ lo;
    const needed = differHi !== 0 ? 64 - Math.clz32(differHi) : 32 - Math.clz32(differLo);
    this.bits = Math.max(this.bits, bits, needed);
  }

  covers(lo: number, hi: number): boolean {
    if (this.bits === 0) return false;
    const differHi = this.hi ^ hi;
    const differLo = this.lo ^ lo;
    return (differHi !== 0 ? 64 - Math.clz32(differHi) : 32 - Math.clz32(differLo)) <= this.bits;
  }
}
