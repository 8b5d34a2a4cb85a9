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

function* pages(cpu: X86Cpu): Generator<Page> {
  const pae = (cpu.lo(OFF.cr4) & CR4.PAE) !== 0;
  const long = isLong(cpu);
  const levels = long ? (cpu.lo(OFF.cr4) & CR4.LA57 ? 5 : 4) : pae ? 3 : 2;
  const cr3 = (BigInt(cpu.hi(OFF.cr3) & 0xfffff) << 32n) | BigInt(cpu.lo(OFF.cr3) >>> 0);
  const root = long || !pae ? cr3 & ~0xfffn : cr3 & ~31n;
  const pse = pae || (cpu.lo(OFF.cr4) & CR4.PSE) !== 0;
  const shift = pae ? 9 : 10;
  const read = (at: bigint): bigint => {
    const place = cpu.walker.place(Number(at));
    const { bus } = cpu.engine;
    const low = BigInt(bus.read(place, 4) >>> 0);
    return pae ? low | (BigInt(bus.read(place + 4, 4) >>> 0) << 32n) : low;
  };
  function* table(at: bigint, level: number, from: bigint, rights: number): Generator<Page> {
    const count = !long && pae && level === 2 ? 4 : 1 << shift;
    for (let n = 0; n < count; n++) {
      const entry = read(at + BigInt(n * (pae ? 8 : 4)));
      if ((entry & 1n) === 0n) continue;
      const bits = 12 + shift * level;
      const address = from + (BigInt(n) << BigInt(bits));
      const low = Number(entry & 0xfffn);
      const all = !long && pae && level === 2 ? rights : rights & low;
      const large = level > 0 && pse && (low & PTE.PS) !== 0 && !(!long && pae && level === 2);
      if (level === 0 || large) yield { address, entry, rights: all, bits };
      else yield* table(entry & 0xf_ffff_ffff_f000n, level - 1, address, all);
    }
  }
  yield* table(root, levels - 1, 0n, PTE.U | PTE.W);
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
    const physical = entry & 0xf_ffff_ffff_f000n & ~((1n << BigInt(bits)) - 1n);
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
