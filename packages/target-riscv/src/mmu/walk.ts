/** Page table walks: Sv32, Sv39, Sv48, Sv57 with hardware A/D updates. Source: Privileged 20211203, 4.3–4.6. */
import { FETCH, RamWords, STORE, tableIndex, type Access, type Translation } from "@mimus/tcg";
import { EXC, MSTATUS, PRIV, PTE } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { MMU, OFF } from "../state.ts";
import { SATP_MODES, satpMode } from "./satp.ts";

const PAGE_FAULT = [EXC.LOAD_PAGE, EXC.STORE_PAGE, EXC.FETCH_PAGE] as const;
const ACCESS_FAULT = [EXC.LOAD_ACCESS, EXC.STORE_ACCESS, EXC.FETCH_ACCESS] as const;
const NEEDED = [1, 2, 4] as const;

/** Addresses from here on are outside every bus; PTEs can name them. */
const BUS_END = 2 ** 52;

/** Translates for one hart. Works on i32 halves and doubles, and allocates nothing. */
export class Walker {
  readonly #hart: Hart;
  /** A result to throw away, for callers that only want the check. */
  readonly probe: Translation = { physical: 0, prot: 0, pageBits: 12, global: false };
  /** Levels of the current satp mode (0 = bare), and bits of a virtual address. */
  #levels = 0;
  #vaBits = 0;
  #root = 0;
  readonly #words: RamWords;

  constructor(hart: Hart) {
    this.#hart = hart;
    this.#words = new RamWords(hart.engine);
  }

  /** Decodes satp after it changed. */
  satpChanged(): void {
    const { config } = this.#hart;
    const lo = this.#hart.lo(OFF.satp);
    const hi = this.#hart.hi(OFF.satp);
    const mode = SATP_MODES[satpMode(config.xlen, lo, hi)];
    this.#levels = mode?.levels ?? 0;
    this.#vaBits = mode?.vaBits ?? 0;
    this.#root = config.xlen === 64 ? ((hi & 0xfff) * 2 ** 32 + (lo >>> 0)) * 4096 : (lo & 0x3fffff) * 4096;
  }

  /** @returns false when it raised a page fault or an access fault. */
  translate(lo: number, hi: number, access: Access, mmu: number, size: number, out: Translation): boolean {
    const hart = this.#hart;
    const rv64 = hart.rv64;
    const priv = mmu === MMU.SUM ? PRIV.S : mmu;
    if (priv === PRIV.M || this.#levels === 0) {
      const physical = rv64 ? (hi >>> 0) * 2 ** 32 + (lo >>> 0) : lo >>> 0;
      if (physical >= BUS_END) return this.#fail(ACCESS_FAULT[access], lo, hi);
      out.pageBits = 12;
      out.global = priv === PRIV.M;
      return this.#protect(lo, hi, access, priv, size, physical, 7, out);
    }
    return rv64 ? this.#walk64(lo, hi, access, mmu, size, out) : this.#walk32(lo, access, mmu, size, out);
  }

  #walk64(lo: number, hi: number, access: Access, mmu: number, size: number, out: Translation): boolean {
    const spare = 64 - this.#vaBits;
    if ((hi << spare) >> spare !== hi) return this.#fail(PAGE_FAULT[access], lo, hi);
    const { i32 } = this.#hart;
    let table = this.#root;
    for (let level = this.#levels - 1; level >= 0; level--) {
      const at = table + tableIndex(lo, hi, level) * 8;
      const word = this.#pteWord(at, 8, false);
      if (word < 0) return this.#fail(ACCESS_FAULT[access], lo, hi);
      const pteLo = i32[word]!;
      const pteHi = i32[word + 1]!;
      // Bits 63:54 are reserved without Svnapot and Svpbmt.
      if (!(pteLo & PTE.V) || pteHi >>> 22 !== 0) break;
      if (pteLo & PTE.G) out.global = true;
      const ppn = (pteHi & 0x3fffff) * 2 ** 22 + (pteLo >>> 10);
      if (!(pteLo & (PTE.R | PTE.W | PTE.X))) {
        if (pteLo & (PTE.U | PTE.A | PTE.D)) break;
        table = ppn * 4096;
        continue;
      }
      if (level > 0 && ppn % 2 ** (9 * level) !== 0) break;
      if (!this.#allowed(pteLo, access, mmu)) break;
      const page = ppn + vpnBelow(lo, hi, level);
      return this.#leaf(lo, hi, access, mmu, size, at, pteLo, page * 4096 + (lo & 0xfff), 12 + 9 * level, out);
    }
    return this.#fail(PAGE_FAULT[access], lo, hi);
  }

  #walk32(lo: number, access: Access, mmu: number, size: number, out: Translation): boolean {
    let table = this.#root;
    for (let level = 1; level >= 0; level--) {
      const at = table + (level === 1 ? lo >>> 22 : (lo >>> 12) & 0x3ff) * 4;
      const word = this.#pteWord(at, 4, false);
      if (word < 0) return this.#fail(ACCESS_FAULT[access], lo, 0);
      const pte = this.#hart.i32[word]!;
      if (!(pte & PTE.V)) break;
      if (pte & PTE.G) out.global = true;
      const ppn = pte >>> 10;
      if (!(pte & (PTE.R | PTE.W | PTE.X))) {
        if (pte & (PTE.U | PTE.A | PTE.D)) break;
        table = ppn * 4096;
        continue;
      }
      if (level > 0 && (ppn & 0x3ff) !== 0) break;
      if (!this.#allowed(pte, access, mmu)) break;
      const page = ppn + (level > 0 ? (lo >>> 12) & 0x3ff : 0);
      return this.#leaf(lo, 0, access, mmu, size, at, pte, page * 4096 + (lo & 0xfff), 12 + 10 * level, out);
    }
    return this.#fail(PAGE_FAULT[access], lo, 0);
  }

  /** Does a leaf PTE permit the access? Source: 4.3.2, steps 5 to 7. */
  #allowed(pte: number, access: Access, mmu: number): boolean {
    if (!(pte & PTE.R) && pte & PTE.W) return false;
    if (pte & PTE.U ? mmu === MMU.S || (mmu === MMU.SUM && access === FETCH) : mmu === MMU.U) return false;
    if (access === FETCH) return (pte & PTE.X) !== 0;
    if (access === STORE) return (pte & PTE.W) !== 0;
    return (pte & this.#readable()) !== 0;
  }

  /** PTE bits that make a page readable: X counts while mstatus.MXR is set. */
  #readable(): number {
    return this.#hart.lo(OFF.mstatus) & MSTATUS.MXR ? PTE.R | PTE.X : PTE.R;
  }

  /** Sets A and D as needed and hands the mapping out. */
  #leaf(
    lo: number,
    hi: number,
    access: Access,
    mmu: number,
    size: number,
    at: number,
    pte: number,
    physical: number,
    pageBits: number,
    out: Translation,
  ): boolean {
    const updated = pte | PTE.A | (access === STORE ? PTE.D : 0);
    if (updated !== pte) {
      if (this.#pteWord(at, this.#hart.rv64 ? 8 : 4, true) < 0) return this.#fail(ACCESS_FAULT[access], lo, hi);
      const { bus } = this.#hart.engine;
      bus.write(at, 4, updated);
      if (bus.lastFault) return this.#fail(ACCESS_FAULT[access], lo, hi);
    }
    if (physical >= BUS_END) return this.#fail(ACCESS_FAULT[access], lo, hi);
    let prot = pte & this.#readable() ? 1 : 0;
    if (pte & PTE.W && updated & PTE.D) prot |= 2;
    if (pte & PTE.X && !(mmu === MMU.SUM && pte & PTE.U)) prot |= 4;
    out.pageBits = pageBits;
    return this.#protect(lo, hi, access, mmu === MMU.U ? PRIV.U : PRIV.S, size, physical, prot, out);
  }

  /** Applies PMP to a translated access. */
  #protect(
    lo: number,
    hi: number,
    access: Access,
    priv: number,
    size: number,
    physical: number,
    prot: number,
    out: Translation,
  ): boolean {
    const { pmp } = this.#hart;
    let allowed = pmp.permissions(physical - (physical % 4096), 4096, priv);
    if (allowed < 0) {
      // The page is not uniform: only this access is judged, and the engine must ask again for the next.
      allowed = pmp.permissions(physical, size, priv);
      out.pageBits = 0;
    }
    if (allowed < 0 || !(allowed & NEEDED[access])) return this.#fail(ACCESS_FAULT[access], lo, hi);
    // Nothing to run where there is nothing; loads and stores there are the engine's to report.
    if (access === FETCH && this.#hart.engine.bus.lookup(physical) === undefined)
      return this.#fail(ACCESS_FAULT[access], lo, hi);
    out.physical = physical;
    out.prot = prot & allowed;
    return true;
  }

  /**
   * Index of a PTE in the machine memory; -1 where the walk may not access it. It has S-mode's rights. Source: 3.7.1, 4.3.2
   * step 2.
   */
  #pteWord(at: number, size: number, write: boolean): number {
    const allowed = this.#hart.pmp.permissions(at, size, PRIV.S);
    if (allowed < 0 || !(allowed & (write ? 2 : 1)) || at >= BUS_END) return -1;
    return this.#words.indexOf(at);
  }

  #fail(cause: number, lo: number, hi: number): boolean {
    this.#hart.raise(cause, lo, hi);
    return false;
  }
}

/** The virtual page number's bits below `level`: the page inside a superpage. */
function vpnBelow(lo: number, hi: number, level: number): number {
  switch (level) {
    case 0:
      return 0;
    case 1:
      return (lo >>> 12) & 0x1ff;
    case 2:
      return (lo >>> 12) & 0x3ffff;
    case 3:
      return (lo >>> 12) | ((hi & 0x7f) << 20);
    default:
      return (lo >>> 12) + (hi & 0xffff) * 2 ** 20;
  }
}
