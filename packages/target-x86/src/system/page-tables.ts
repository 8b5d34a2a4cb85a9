/** Page tables as QEMU's monitor shows them: every page, or every run of pages with the same rights. */
import type { X86Cpu } from "../cpu.ts";
import { OFF } from "../state.ts";
import { CR0, CR4, PTE } from "./bits.ts";
import { isLong } from "./descriptor.ts";

/** A page: linear address, entry, log2 of its size. */
interface Page {
  readonly address: bigint;
  readonly entry: bigint;
  /** Rights of all levels together: PTE.U, PTE.W. */
  readonly rights: number;
  readonly bits: number;
}

/** Pages shown at most: a program may map more than anybody reads. */
const MOST = 200_000;

/** How the tables of a CPU are laid out, and what reads their entries. */
interface Tables {
  readonly levels: number;
  readonly root: bigint;
  /** log2 of the entries of a table, and bytes of an entry. */
  readonly shift: number;
  readonly entryBytes: number;
  /** The top level is the four pointers of PAE, which have no rights. */
  readonly pointers: boolean;
  /** Entries above the lowest level may be pages. */
  readonly large: boolean;
  read(at: bigint): bigint;
}

function tablesOf(cpu: X86Cpu): Tables {
  const pae = (cpu.lo(OFF.cr4) & CR4.PAE) !== 0;
  const long = isLong(cpu);
  const cr3 = (BigInt(cpu.hi(OFF.cr3) & 0xfffff) << 32n) | BigInt(cpu.lo(OFF.cr3) >>> 0);
  return {
    levels: long ? (cpu.lo(OFF.cr4) & CR4.LA57 ? 5 : 4) : pae ? 3 : 2,
    root: long || !pae ? cr3 & ~0xfffn : cr3 & ~31n,
    shift: pae ? 9 : 10,
    entryBytes: pae ? 8 : 4,
    pointers: pae && !long,
    large: pae || (cpu.lo(OFF.cr4) & CR4.PSE) !== 0,
    read(at) {
      const place = cpu.walker.place(Number(at));
      const { bus } = cpu.engine;
      const low = BigInt(bus.read(place, 4) >>> 0);
      return pae ? low | (BigInt(bus.read(place + 4, 4) >>> 0) << 32n) : low;
    },
  };
}

const FRAME = 0xf_ffff_ffff_f000n;

/** Whether the entry at `level` (0: lowest) is that of a page. */
function isPage(t: Tables, entry: bigint, level: number): boolean {
  return level === 0 || (t.large && (Number(entry & 0xfffn) & PTE.PS) !== 0 && !(t.pointers && level === 2));
}

function* pages(cpu: X86Cpu): Generator<Page> {
  const t = tablesOf(cpu);
  function* table(at: bigint, level: number, from: bigint, rights: number): Generator<Page> {
    const pointers = t.pointers && level === 2;
    const count = pointers ? 4 : 1 << t.shift;
    for (let n = 0; n < count; n++) {
      const entry = t.read(at + BigInt(n * t.entryBytes));
      if ((entry & 1n) === 0n) continue;
      const bits = 12 + t.shift * level;
      const address = from + (BigInt(n) << BigInt(bits));
      const all = pointers ? rights : rights & Number(entry & 0xfffn);
      if (isPage(t, entry, level)) yield { address, entry, rights: all, bits };
      else yield* table(entry & FRAME, level - 1, address, all);
    }
  }
  yield* table(t.root, t.levels - 1, 0n, PTE.U | PTE.W);
}

/** Physical address of a linear one, whatever its rights; nothing is marked as used. Undefined: not mapped. */
export function physicalAddress(cpu: X86Cpu, address: bigint): bigint | undefined {
  if ((cpu.lo(OFF.cr0) & CR0.PG) === 0) return address;
  const t = tablesOf(cpu);
  if (canonical(cpu, address) !== address) return undefined;
  let at = t.root;
  for (let level = t.levels - 1; level >= 0; level--) {
    const bits = BigInt(12 + t.shift * level);
    const mask = t.pointers && level === 2 ? 3n : (1n << BigInt(t.shift)) - 1n;
    const entry = t.read(at + ((address >> bits) & mask) * BigInt(t.entryBytes));
    if ((entry & 1n) === 0n) return undefined;
    if (isPage(t, entry, level)) {
      const within = (1n << bits) - 1n;
      // Bits 13 to 20 of a 4 MiB page are bits 32 to 39 of its address.
      const above = t.entryBytes === 4 && level > 0 ? ((entry >> 13n) & 0xffn) << 32n : 0n;
      return (entry & FRAME & ~within) | above | (address & within);
    }
    at = entry & FRAME;
  }
  return undefined;
}

const hex = (value: bigint, digits: number): string => value.toString(16).padStart(digits, "0");

/** Addresses with bit 47 (56) set are those of the upper half. */
function canonical(cpu: X86Cpu, address: bigint): bigint {
  if (!isLong(cpu)) return address;
  const bits = cpu.lo(OFF.cr4) & CR4.LA57 ? 57 : 48;
  return BigInt.asUintN(64, BigInt.asIntN(bits, address));
}

/** `info tlb`. */
export function tlbText(cpu: X86Cpu): string {
  if ((cpu.lo(OFF.cr0) & CR0.PG) === 0) return "PG disabled\n";
  const lines: string[] = [];
  for (const { address, entry, bits } of pages(cpu)) {
    const letters = [63, 8, 7, 6, 5, 4, 3, 2, 1]
      .map((bit, n) => ((entry >> BigInt(bit)) & 1n ? "XGPDACTUW"[n] : "-"))
      .join("");
    const physical = entry & FRAME & ~((1n << BigInt(bits)) - 1n);
    lines.push(`${hex(canonical(cpu, address), 16)}: ${hex(physical, 16)} ${letters}\n`);
    if (lines.length >= MOST) break;
  }
  return lines.join("");
}

/** `info mem`. */
export function memText(cpu: X86Cpu): string {
  if ((cpu.lo(OFF.cr0) & CR0.PG) === 0) return "PG disabled\n";
  const digits = isLong(cpu) || cpu.lo(OFF.cr4) & CR4.PAE ? 16 : 8;
  const lines: string[] = [];
  let start = -1n;
  let end = -1n;
  let rights = 0;
  const close = (): void => {
    if (start < 0n) return;
    const letters = `${rights & PTE.U ? "u" : "-"}r${rights & PTE.W ? "w" : "-"}`;
    const last = canonical(cpu, end - 1n) + 1n;
    lines.push(`${hex(canonical(cpu, start), digits)}-${hex(last, digits)} ${hex(end - start, digits)} ${letters}\n`);
  };
  for (const page of pages(cpu)) {
    if (page.address !== end || page.rights !== rights) {
      close();
      start = page.address;
      rights = page.rights;
    }
    end = page.address + (1n << BigInt(page.bits));
    if (lines.length >= MOST) break;
  }
  close();
  return lines.join("");
}
