/** Physical memory protection: 16 entries. Source: Privileged 20211203, 3.7. */
import { PRIV } from "./constants.ts";
import type { Hart } from "./hart.ts";
import { ALL_INDEXES, OFF } from "./state.ts";

/** Number of entries. */
export const PMP_ENTRIES = 16;

/** Fields of a pmpcfg byte. */
const PMPCFG = { R: 1, W: 2, X: 4, A: 0x18, L: 0x80 } as const;
/** Values of the A field, in place. */
const A = { OFF: 0, TOR: 0x08, NA4: 0x10, NAPOT: 0x18 } as const;

/** The decoded entries of one hart; the registers themselves are in its state block. */
export class Pmp {
  readonly #hart: Hart;
  readonly #cfg: Uint8Array = new Uint8Array(PMP_ENTRIES);
  /** First byte and first byte behind each entry's range, as numbers: exact below 2^53. */
  readonly #start: Float64Array = new Float64Array(PMP_ENTRIES);
  readonly #end: Float64Array = new Float64Array(PMP_ENTRIES);
  /** One more than the highest entry that is on. */
  #used = 0;
  #locked = false;

  constructor(hart: Hart) {
    this.#hart = hart;
  }

  /** Rebuilds the ranges from pmpcfg and pmpaddr. */
  decode(): void {
    const hart = this.#hart;
    this.#used = 0;
    this.#locked = false;
    let previous = 0;
    for (let i = 0; i < PMP_ENTRIES; i++) {
      const cfg = this.cfg(i);
      const lo = hart.lo(OFF.pmpaddr + 8 * i);
      const hi = hart.hi(OFF.pmpaddr + 8 * i);
      const address = (hi >>> 0) * 2 ** 34 + (lo >>> 0) * 4;
      this.#cfg[i] = cfg;
      this.#start[i] = this.#end[i] = 0;
      switch (cfg & PMPCFG.A) {
        case A.TOR:
          this.#start[i] = previous;
          this.#end[i] = address;
          break;
        case A.NA4:
          this.#start[i] = address;
          this.#end[i] = address + 4;
          break;
        case A.NAPOT: {
          const size = 2 ** (trailingOnes(lo, hi) + 3);
          this.#start[i] = address - (address % size);
          this.#end[i] = this.#start[i]! + size;
          break;
        }
      }
      previous = address;
      if (cfg & PMPCFG.A) {
        this.#used = i + 1;
        if (cfg & PMPCFG.L) this.#locked = true;
      }
    }
  }

  /**
   * Permissions (1 read, 2 write, 4 execute) that `priv` has for all of `size` bytes at `address`; -1 when the lowest
   * entry that matches any of them does not match all: then an access of that size fails, smaller ones may not.
   */
  permissions(address: number, size: number, priv: number): number {
    if (!this.#hart.config.pmp) return 7;
    if (priv === PRIV.M && !this.#locked) return 7;
    const end = address + size;
    for (let i = 0; i < this.#used; i++) {
      const from = this.#start[i]!;
      const to = this.#end[i]!;
      if (address >= to || end <= from) continue;
      if (address < from || end > to) return -1;
      const cfg = this.#cfg[i]!;
      return priv === PRIV.M && !(cfg & PMPCFG.L) ? 7 : cfg & 7;
    }
    return priv === PRIV.M ? 7 : 0;
  }

  /** pmpcfg byte of entry `i`. */
  cfg(i: number): number {
    return (this.#hart.lo(OFF.pmpcfg + (i & ~3)) >>> (8 * (i & 3))) & 0xff;
  }

  /** Four pmpcfg bytes from entry `first` on. */
  readCfg(first: number): number {
    return this.#hart.lo(OFF.pmpcfg + first);
  }

  /** Writes four pmpcfg bytes. Locked entries stay; W without R is reserved and becomes neither. */
  writeCfg(first: number, value: number): void {
    let word = 0;
    for (let i = 0; i < 4; i++) {
      let byte = (value >>> (8 * i)) & (PMPCFG.L | PMPCFG.A | 7);
      if ((byte & 3) === PMPCFG.W) byte &= ~PMPCFG.W;
      const old = this.cfg(first + i);
      word |= (old & PMPCFG.L ? old : byte) << (8 * i);
    }
    if (word === this.#hart.lo(OFF.pmpcfg + first)) return;
    this.#hart.setLo(OFF.pmpcfg + first, word);
    this.#changed();
  }

  /** Writes pmpaddr`i`: nothing when it is locked, or is the base of a locked TOR entry. */
  writeAddress(i: number, lo: number, hi: number): void {
    if (this.cfg(i) & PMPCFG.L) return;
    if (i + 1 < PMP_ENTRIES && (this.cfg(i + 1) & (PMPCFG.L | PMPCFG.A)) === (PMPCFG.L | A.TOR)) return;
    const at = OFF.pmpaddr + 8 * i;
    const high = this.#hart.rv64 ? hi & 0x3fffff : 0;
    if (lo === this.#hart.lo(at) && high === this.#hart.hi(at)) return;
    this.#hart.set(at, lo, high);
    this.#changed();
  }

  #changed(): void {
    this.decode();
    this.#hart.engine.flushTlb(this.#hart.env, ALL_INDEXES);
  }
}

/** Number of consecutive ones from bit 0 up. */
function trailingOnes(lo: number, hi: number): number {
  if (lo !== -1) return 31 - Math.clz32(~lo & (lo + 1));
  return hi === -1 ? 64 : 63 - Math.clz32(~hi & (hi + 1));
}
