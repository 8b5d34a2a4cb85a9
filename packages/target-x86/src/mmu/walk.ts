/** From linear to physical addresses. Source: Intel SDM volume 3A (2023), chapter 4; AMD APM volume 2 (2023), chapter 5. */
import { ENV, FETCH, RamWords, STORE, tableIndex, type Access, type Translation } from "@mimus/tcg";
import type { PhysicalWindow } from "../config.ts";
import type { X86Cpu } from "../cpu.ts";
import { ALL_INDEXES, HF, MMU, OFF, WALK } from "../state.ts";
import { CR0, CR4, EFER, PFEC, PTE } from "../system/bits.ts";
import { noteHits } from "../system/debug.ts";
import { SYS } from "../system/state.ts";
import { EXC } from "../system/vectors.ts";

/** Kinds of paging. */
const NONE = 0;
const LEGACY = 1;
const PAE = 2;
const LONG = 3;

const NEEDED = [1, 2, 4] as const;
const A20 = 0x100000;

/** Translates for one CPU. Works on i32 halves and doubles, and allocates nothing. */
export class Walker {
  readonly #cpu: X86Cpu;
  #kind = NONE;
  #levels = 0;
  #root = 0;
  #a20 = true;
  /** CR0.WP, CR4.SMEP, CR4.SMAP, EFER.NXE, CR4.PGE, CR4.PSE, CR4.PKE are on. */
  #wp = false;
  #smep = false;
  #smap = false;
  #nxe = false;
  #pge = false;
  #pse = false;
  #pke = false;
  readonly #pse36: boolean;
  readonly #gigabyte: boolean;
  /** Bits of the high word of an entry that lie above the physical address, up to bit 51. */
  readonly #beyond: number;
  readonly #physBits: number;
  readonly #windows = new Map<string, PhysicalWindow>();
  /** The windows as numbers: base, end, distance, smm. */
  #moved: readonly PhysicalWindow[] = [];
  /** All of them lie between. */
  #from = Infinity;
  #to = -Infinity;
  /** Nothing of two lies between: most of the memory, of a CPU with SMRAM below and its APIC above. */
  #gapFrom = Infinity;
  #gapTo = -Infinity;
  /** Entries of the walk: their places, and their low words. */
  readonly #at = new Float64Array(5);
  readonly #low = new Int32Array(5);
  #depth = 0;
  /** Other vCPUs write to page tables at the same time; one did during this walk. */
  readonly #shared: boolean;
  #changed = false;
  readonly #words: RamWords;

  constructor(cpu: X86Cpu) {
    this.#cpu = cpu;
    this.#shared = cpu.engine.shared;
    const { config } = cpu;
    this.#pse36 = config.features.has("pse36");
    this.#gigabyte = config.features.has("pdpe1gb");
    this.#physBits = config.physBits;
    this.#beyond = config.physBits >= 52 ? 0 : 0xfffff & ~((1 << Math.max(0, config.physBits - 32)) - 1);
    this.#words = new RamWords(cpu.engine);
    cpu.engine.bus.onChange(() => cpu.setLo(OFF.ramPages, 0));
  }

  /** Decodes CR0, CR3, CR4 and EFER after one of them changed. The TLB is the caller's. */
  modeChanged(): void {
    const cpu = this.#cpu;
    const cr0 = cpu.lo(OFF.cr0);
    const cr4 = cpu.lo(OFF.cr4);
    const efer = cpu.lo(OFF.efer);
    this.#wp = (cr0 & CR0.WP) !== 0;
    this.#smep = (cr4 & CR4.SMEP) !== 0;
    this.#smap = (cr4 & CR4.SMAP) !== 0;
    this.#pge = (cr4 & CR4.PGE) !== 0;
    this.#pse = (cr4 & CR4.PSE) !== 0;
    this.#pke = (cr4 & CR4.PKE) !== 0;
    this.#nxe = (efer & EFER.NXE) !== 0;
    const lo = cpu.lo(OFF.cr3);
    if ((cr0 & CR0.PG) === 0) this.#kind = NONE;
    else if ((cr4 & CR4.PAE) === 0) {
      this.#kind = LEGACY;
      this.#root = (lo & ~0xfff) >>> 0;
    } else if ((efer & EFER.LMA) === 0) {
      this.#kind = PAE;
      this.#root = (lo & ~31) >>> 0;
    } else {
      this.#kind = LONG;
      this.#levels = cr4 & CR4.LA57 ? 5 : 4;
      this.#root = (cpu.hi(OFF.cr3) & 0xfffff) * 2 ** 32 + ((lo & ~0xfff) >>> 0);
    }
    this.#tell();
  }

  /** What assembly/walk.ts follows; it refuses all where it does not know the kind of paging. */
  #tell(): void {
    const cpu = this.#cpu;
    const known = this.#kind !== LONG || (this.#levels === 4 && !this.#pke);
    cpu.setLo(OFF.walkKind, known && this.#a20 && !this.#shared ? this.#kind : NONE);
    let mode = 0;
    if (this.#wp) mode |= WALK.wp;
    if (this.#smep) mode |= WALK.smep;
    if (this.#smap) mode |= WALK.smap;
    if (this.#pge) mode |= WALK.pge;
    if (this.#pse) mode |= WALK.pse;
    if (this.#gigabyte) mode |= WALK.gigabyte;
    cpu.setLo(OFF.walkMode, mode);
    cpu.set(OFF.walkRoot, this.#root | 0, Math.floor(this.#root / 2 ** 32));
    cpu.set(OFF.walkReserved, 0, this.#beyond | (this.#kind === PAE ? 0x7ff0_0000 : 0) | (this.#nxe ? 0 : 0x8000_0000));
  }

  /** The RAM around a page that is in none that assembly/walk.ts knows is what it knows from now on, if there is more of it. */
  #tellRam(physical: number): void {
    const cpu = this.#cpu;
    const page = Math.floor(physical / 4096);
    const inside = page - (cpu.lo(OFF.ramFirst) >>> 0);
    if (inside >= 0 && inside < cpu.lo(OFF.ramPages) >>> 0) return;
    const range = cpu.engine.bus.lookup(physical);
    if (range === undefined || range.ramOffset < 0 || range.readonly) return;
    let from = range.base;
    let to = range.base + range.size;
    for (const { base, size } of this.#moved) {
      if (base + size <= physical) from = Math.max(from, base + size);
      else to = Math.min(to, base);
    }
    const first = Math.ceil(from / 4096);
    const place = range.ramOffset + (first * 4096 - range.base);
    const pages = Math.floor(to / 4096) - first;
    if ((place & 4095) !== 0 || pages <= cpu.lo(OFF.ramPages) >>> 0) return;
    cpu.set(OFF.ramFirst, first, pages);
    cpu.setLo(OFF.ramPlace, place);
  }

  /** A20M#: while low, address bit 20 is 0. */
  setA20(level: boolean): void {
    if (level === this.#a20) return;
    this.#a20 = level;
    this.#tell();
    this.#cpu.engine.flushTlb(this.#cpu.env, ALL_INDEXES);
  }
  get a20(): boolean {
    return this.#a20;
  }

  setWindow(name: string, window: PhysicalWindow | undefined): void {
    if (window === undefined) this.#windows.delete(name);
    else this.#windows.set(name, window);
    this.#moved = [...this.#windows.values()];
    this.#cpu.setLo(OFF.ramPages, 0);
    this.#from = Math.min(...this.#moved.map((w) => w.base));
    this.#to = Math.max(...this.#moved.map((w) => w.base + w.size));
    const two = this.#moved.length === 2;
    this.#gapFrom = two ? Math.min(...this.#moved.map((w) => w.base + w.size)) : Infinity;
    this.#gapTo = two ? Math.max(...this.#moved.map((w) => w.base)) : -Infinity;
    this.#cpu.engine.flushTlb(this.#cpu.env, ALL_INDEXES);
  }

  /** Where this CPU finds a physical address. */
  place(physical: number): number {
    const apart =
      physical < this.#from || physical >= this.#to || (physical >= this.#gapFrom && physical < this.#gapTo);
    return apart && this.#a20 ? physical : this.#moveTo(physical);
  }

  #moveTo(physical: number): number {
    let at = physical;
    if (!this.#a20 && Math.floor(at / A20) % 2 === 1) at -= A20;
    const windows = this.#moved;
    for (let n = 0; n < windows.length; n++) {
      const w = windows[n]!;
      if (at < w.base || at >= w.base + w.size) continue;
      if (w.smm && (this.#cpu.lo(ENV.tbFlags) & HF.smm) === 0) continue;
      return at - w.base + w.to;
    }
    return at;
  }

  /** @returns false when it raised a page fault, or #GP for an address that is not canonical. */
  translate(lo: number, hi: number, access: Access, mmu: number, size: number, out: Translation): boolean {
    // Limits of 4 GiB are looked at by nobody else
    if (lo >>> 0 > 2 ** 32 - size && access !== FETCH && !this.#code64) {
      this.#cpu.raise(EXC.GP, 0);
      this.#cpu.notCanonical = true;
      return false;
    }
    do {
      this.#changed = false;
      if (!this.#translate(lo, hi, access, mmu, out)) return false;
    } while (this.#changed);
    const { breakPoints } = this.#cpu;
    if (access !== FETCH && breakPoints.watches(lo, hi)) {
      noteHits(this.#cpu, breakPoints.accessed(lo, hi, size, access === STORE));
      out.pageBits = 0;
    }
    return true;
  }

  /** The CPU executes 64-bit code. */
  get #code64(): boolean {
    return ((this.#cpu.lo(ENV.tbFlags) >> HF.codeShift) & 3) === 2;
  }

  #translate(lo: number, hi: number, access: Access, mmu: number, out: Translation): boolean {
    if (this.#kind === NONE) {
      out.physical = this.place(lo >>> 0);
      out.prot = 7;
      out.pageBits = 12;
      return true;
    }
    const ok =
      this.#kind === LONG
        ? this.#long(lo, hi, access, mmu, out)
        : this.#kind === PAE
          ? this.#pae(lo, access, mmu, out)
          : this.#legacy(lo, access, mmu, out);
    if (!ok) return false;
    const { physical } = out;
    out.physical = this.place(physical);
    if (out.physical === physical) this.#tellRam(physical);
    return true;
  }

  #long(lo: number, hi: number, access: Access, mmu: number, out: Translation): boolean {
    const levels = this.#levels;
    const spare = levels === 5 ? 7 : 16;
    if ((hi << spare) >> spare !== hi) {
      this.#cpu.raise(EXC.GP, 0);
      this.#cpu.notCanonical = true;
      return false;
    }
    return this.#walk(lo, hi, access, mmu, levels, this.#root, PTE.W | PTE.U, 0, out);
  }

  /** The four entries at CR3 have no access rights. Source: SDM volume 3A, table 4-8. */
  #pae(lo: number, access: Access, mmu: number, out: Translation): boolean {
    const at = this.#root + (lo >>> 30) * 8;
    const low = this.#read(at);
    const high = this.#read(at + 4);
    if (!(low & PTE.P)) return this.#fail(lo, 0, access, mmu, 0);
    if (low & 0x1e6 || high & (this.#beyond | 0xfff0_0000)) return this.#fail(lo, 0, access, mmu, PFEC.P | PFEC.RSVD);
    const table = (high & 0xfffff) * 2 ** 32 + ((low & ~0xfff) >>> 0);
    return this.#walk(lo, 0, access, mmu, 2, table, PTE.W | PTE.U, 0x7ff0_0000, out);
  }

  /** Entries of 64 bits, nine bits of the address a level. `reserved`: of the high word, besides those past the address. */
  #walk(
    lo: number, hi: number, access: Access, mmu: number, levels: number, root: number, rights: number, reserved: number,
    out: Translation,
  ): boolean {
    const { i32 } = this.#cpu;
    let table = root;
    let nx = 0;
    const highReserved = this.#beyond | reserved | (this.#nxe ? 0 : 0x8000_0000);
    this.#depth = 0;
    for (let level = levels - 1; ; level--) {
      const at = table + tableIndex(lo, hi, level) * 8;
      const word = this.#word(at);
      let low = word >= 0 ? i32[word]! : this.#read(at);
      if (!(low & PTE.P)) return this.#fail(lo, hi, access, mmu, 0);
      let high = word >= 0 ? i32[word + 1]! : this.#read(at + 4);
      // Halves of what another vCPU wrote meanwhile do not belong together.
      if (this.#shared && word >= 0)
        while (i32[word] !== low) {
          low = i32[word]!;
          high = i32[word + 1]!;
        }
      if (!(low & PTE.P)) return this.#fail(lo, hi, access, mmu, 0);
      if (high & highReserved) return this.#fail(lo, hi, access, mmu, PFEC.P | PFEC.RSVD);
      this.#at[this.#depth] = at;
      this.#low[this.#depth++] = low;
      rights &= low;
      nx |= high;
      const page = (high & 0xfffff) * 2 ** 32;
      if (level > 0 && !(low & PTE.PS)) {
        table = page + ((low & ~0xfff) >>> 0);
        continue;
      }
      const bits = 12 + 9 * level;
      const inside = level === 0 ? 0xfff : level === 1 ? 0x1fffff : 0x3fffffff;
      // Large pages: 1 GiB only where the CPU has them; bits between the PAT bit and the address are reserved.
      if (level > 0 && (level > 2 || (level === 2 && !this.#gigabyte) || low & inside & ~0x1fff))
        return this.#fail(lo, hi, access, mmu, PFEC.P | PFEC.RSVD);
      const key = this.#pke ? (high >>> 27) & 15 : 0;
      out.physical = page + ((low & ~inside) >>> 0) + (lo & inside);
      return this.#leaf(lo, hi, access, mmu, rights, nx < 0, key, bits, out);
    }
  } // prettier-ignore

  #legacy(lo: number, access: Access, mmu: number, out: Translation): boolean {
    const at = this.#root + (lo >>> 22) * 4;
    const pde = this.#read(at);
    if (!(pde & PTE.P)) return this.#fail(lo, 0, access, mmu, 0);
    this.#at[0] = at;
    this.#low[0] = pde;
    this.#depth = 1;
    if (pde & PTE.PS && this.#pse) {
      // PSE-36: bits 20:13 are address bits 39:32. Source: SDM volume 3A, table 4-4.
      const above = this.#pse36 ? Math.max(0, Math.min(this.#physBits, 40) - 32) : 0;
      const high = (pde >>> 13) & 0xff;
      if (pde & 0x200000 || high >>> above !== 0) return this.#fail(lo, 0, access, mmu, PFEC.P | PFEC.RSVD);
      out.physical = high * 2 ** 32 + ((pde & 0xffc0_0000) >>> 0) + (lo & 0x3fffff);
      return this.#leaf(lo, 0, access, mmu, pde & 6, false, 0, 22, out);
    }
    const pteAt = ((pde & ~0xfff) >>> 0) + ((lo >>> 12) & 0x3ff) * 4;
    const pte = this.#read(pteAt);
    if (!(pte & PTE.P)) return this.#fail(lo, 0, access, mmu, 0);
    this.#at[1] = pteAt;
    this.#low[1] = pte;
    this.#depth = 2;
    out.physical = ((pte & ~0xfff) >>> 0) + (lo & 0xfff);
    return this.#leaf(lo, 0, access, mmu, pde & pte & 6, false, 0, 12, out);
  }

  /** Access rights, protection keys, accessed and dirty bits. Source: SDM volume 3A, 4.6 and 4.8. */
  #leaf(
    lo: number, hi: number, access: Access, mmu: number, rights: number, nx: boolean, key: number, bits: number,
    out: Translation,
  ): boolean {
    const user = (rights & PTE.U) !== 0;
    const writable = (rights & PTE.W) !== 0;
    let prot: number;
    if (mmu === MMU.user) prot = user ? (writable ? 7 : 5) : 0;
    else {
      prot = writable || !this.#wp ? 7 : 5;
      if (user && this.#smap && mmu === MMU.kernel) prot = 4;
      if (user && this.#smep) prot &= 3;
    }
    if (nx) prot &= 3;
    if ((prot & NEEDED[access]!) === 0) return this.#fail(lo, hi, access, mmu, PFEC.P);
    if (user && this.#pke && this.#kind === LONG) {
      const pkru = this.#cpu.lo(OFF.pkru) >>> (2 * key);
      let denied = 0;
      if (pkru & 1) denied = 3;
      else if (pkru & 2 && (mmu === MMU.user || this.#wp)) denied = 2;
      if (denied & NEEDED[access]! & 3) return this.#fail(lo, hi, access, mmu, PFEC.P | PFEC.PK);
      prot &= ~denied;
    }
    const last = this.#depth - 1;
    for (let n = 0; n < last; n++) if (!(this.#low[n]! & PTE.A)) this.#mark(n, PTE.A);
    const leaf = this.#low[last]!;
    const wanted = access === STORE ? PTE.A | PTE.D : PTE.A;
    if ((leaf & wanted) !== wanted) this.#mark(last, wanted);
    if (access !== STORE && !(leaf & PTE.D)) prot &= 5;
    out.prot = prot;
    out.pageBits = bits;
    out.global = this.#pge && (leaf & PTE.G) !== 0;
    return true;
  } // prettier-ignore

  #mark(n: number, bits: number): void {
    if (this.#shared) return this.#markShared(n, bits);
    const at = this.place(this.#at[n]!);
    this.#cpu.engine.bus.write(at, 4, (this.#low[n]! | bits) >>> 0);
  }

  /** The entry may be another one by now: then all is looked at again. */
  #markShared(n: number, bits: number): void {
    const { i32 } = this.#cpu;
    const word = this.#word(this.#at[n]!);
    if (word < 0) return;
    const seen = this.#low[n]!;
    if (Atomics.compareExchange(i32, word, seen, seen | bits) !== seen) this.#changed = true;
  }

  /** Half of a paging-structure entry. */
  #read(physical: number): number {
    const n = this.#word(physical);
    return n >= 0 ? this.#cpu.i32[n]! : this.#cpu.engine.bus.read(this.place(physical), 4) | 0;
  }

  /** Index of a word of RAM in the machine memory, by its physical address; -1: it is no RAM. */
  #word(physical: number): number {
    return this.#words.indexOf(this.place(physical));
  }

  #fail(lo: number, hi: number, access: Access, mmu: number, code: number): boolean {
    const cpu = this.#cpu;
    let error = code;
    if (access === STORE) error |= PFEC.W;
    if (mmu === MMU.user) error |= PFEC.U;
    if (access === FETCH && (this.#smep || (this.#nxe && this.#kind !== LEGACY))) error |= PFEC.I;
    cpu.set(SYS.faultAddress, lo, hi);
    cpu.raise(EXC.PF, error);
    return false;
  }
}
