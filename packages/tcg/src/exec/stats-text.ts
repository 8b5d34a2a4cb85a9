/** The translator's counters as people read them: `info jit`, `-d stats`. */
import { ENV, JUMP_CACHE_ENTRIES, TLB_ENTRIES, TLB_ENTRY_SIZE } from "./contract.ts";
import type { TcgStats } from "./contract.ts";
import { DEFAULT_CODE_CAP, DEFAULT_TB_SIZE, LEAST_TB_SIZE } from "./defaults.ts";
import { TB, TLB_INVALID } from "./descriptor.ts";
import type { TcgMachine } from "./machine.ts";

/** What the counters are measured against. Sizes in bytes; use and size of the caches are those of all vCPUs. */
export interface JitFigures {
  /** Guest instructions executed. */
  readonly executed: number;
  /** Times that a block began in the interpreter or as a function of its own: regions do not count. */
  readonly entries: number;
  readonly arenaCap: number;
  /** Infinity: none. */
  readonly codeCap: number;
  readonly jumpCache: { readonly used: number; readonly size: number };
  readonly tlb: { readonly used: number; readonly size: number };
}

/** Looks at the machine's caches. */
export function jitFigures(machine: TcgMachine): JitFigures {
  const { cpus, i32, target, options } = machine;
  const jumpCache = { used: 0, size: cpus.length * JUMP_CACHE_ENTRIES };
  const tlb = { used: 0, size: cpus.length * target.mmuIndexes * TLB_ENTRIES };
  let executed = 0;
  for (const cpu of cpus) {
    executed += cpu.executed;
    const jumps = (cpu.env + ENV.jumpCache) >>> 2;
    for (let n = 0; n < JUMP_CACHE_ENTRIES; n++) if (i32[jumps + 4 * n + 3] !== 0) jumpCache.used++;
    const tags = (cpu.env + ENV.tlb) >>> 2;
    for (let n = 0; n < target.mmuIndexes * TLB_ENTRIES; n++) {
      const entry = tags + (n * TLB_ENTRY_SIZE) / 4;
      // The tags of reads, writes and fetches.
      if ([0, 2, 4].some((tag) => (i32[entry + tag]! & TLB_INVALID) === 0)) tlb.used++;
    }
  }
  let entries = 0;
  for (const tb of machine.blocks.all)
    if (tb !== undefined) entries += tb.executedBefore + tb.counterStart - i32[(tb.address + TB.counter) >>> 2]!;
  const arenaCap = Math.max(options.tbSize ?? DEFAULT_TB_SIZE, LEAST_TB_SIZE);
  return { executed, entries, arenaCap, codeCap: options.region?.codeCap ?? DEFAULT_CODE_CAP, jumpCache, tlb };
}

/** The report of a machine. */
export function jitText(machine: TcgMachine): string {
  return statsText(machine.stats(), jitFigures(machine));
}

type Row = readonly [name: string, value: number | string, note?: string];

/** Sections of `name value note` lines. */
export function statsText(stats: TcgStats, figures: JitFigures): string {
  const { executed, entries, jumpCache, tlb } = figures;
  const s = stats;
  const left = Object.values(s.exits).reduce((sum, n) => sum + n, 0);
  const sections: readonly (readonly [title: string, rows: readonly Row[]])[] = [
    ["Blocks", [
      ["translated", s.blocks, `${s.guestInsns} guest instructions, ${s.guestBytes} bytes; ${per(s.guestInsns, s.blocks)} instructions a block`],
      ["IR operations", s.irOps, `${per(s.irOps, s.guestInsns)} an instruction`],
      ["compiled", s.compiled, `${share(s.compiled, s.blocks)} of the translated, in ${s.modules} modules`],
      ["not compilable", s.uncompilable],
    ]],
    ["Regions", [
      ["compiled", s.regions, `${s.regionBlocks} blocks, ${s.regionInsns} guest instructions; ${per(s.regionInsns, s.regions)} instructions a region`],
      ["bytes", s.regionBytes, `${per(s.regionBytes, s.regionInsns)} an instruction`],
      ["refused", s.regionsRefused],
      ["dropped", s.regionsDropped],
    ]],
    ["Code cache", [
      ["descriptors, bytecode", s.arenaBytes, of(s.arenaBytes, figures.arenaCap)],
      ["WebAssembly in use", s.codeBytes, of(s.codeBytes, figures.codeCap)],
      ["WebAssembly ever made", s.wasmBytes + s.regionBytes, `${per(s.wasmBytes + s.regionBytes, s.compiled + s.regions)} a function`],
      ["flushes", s.flushes, "times that all code was thrown away"],
      ["evictions", s.evictions, "of these, since the cap was reached"],
      ["invalidations", s.invalidations, "blocks dropped since their code changed"],
    ]],
    ["Transitions", [
      ["guest instructions", executed],
      ["block entries", entries, "outside regions, of blocks that are still there"],
      ["jump cache misses", s.lookups, `${rate(s.lookups, executed)}; ${share(s.lookups, entries)} of block entries`],
      ["jump cache entries", jumpCache.used, of(jumpCache.used, jumpCache.size)],
      ["chained", s.links, "jumps that go straight to their target"],
      ["exits to the run loop", left, rate(left, executed)],
      ...Object.entries(s.exits).filter(([, n]) => n > 0).map(([name, n]): Row => [`  ${name}`, n]),
    ]],
    ["Guest memory", [
      ["TLB entries", tlb.used, of(tlb.used, tlb.size)],
      ["TLB fills", s.tlbFills, rate(s.tlbFills, executed)],
      ["TLB flushes", s.tlbFlushes],
      ["TLB page flushes", s.tlbPageFlushes],
      ["slow loads", s.slowLoads, rate(s.slowLoads, executed)],
      ["slow stores", s.slowStores, rate(s.slowStores, executed)],
      ["device accesses", s.mmio],
    ]],
    ["Time, ms", [
      ["translation", s.translateMs.toFixed(1), `${per(s.translateMs * 1000, s.blocks)} us a block`],
      ["blocks", s.compileMs.toFixed(1), `${per(s.compileMs * 1000, s.compiled)} us a block`],
      ["regions", s.regionMs.toFixed(1), `${per(s.regionMs * 1000, s.regions)} us a region`],
    ]],
  ]; // prettier-ignore
  return sections.map(([title, rows]) => `${title}\n${rows.map(line).join("")}`).join("");
}

function line([name, value, note]: Row): string {
  return `  ${name.padEnd(24)}${String(value).padStart(14)}${note === undefined ? "" : `  ${note}`}\n`;
}

const per = (n: number, by: number): string => (by === 0 ? "-" : (n / by).toFixed(1));
const share = (n: number, whole: number): string => (whole === 0 ? "-" : `${((100 * n) / whole).toFixed(1)} %`);
const of = (n: number, whole: number): string =>
  Number.isFinite(whole) ? `${share(n, whole)} of ${whole}` : "no limit";

/** How often something happens, as instructions between two. */
function rate(n: number, executed: number): string {
  return n === 0 ? "never" : `one in ${Math.round(executed / n)} instructions`;
}
