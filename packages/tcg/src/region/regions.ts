/** The regions of a machine: built from hot blocks, entered through the descriptors of their blocks, dropped with them. */
import type { Tb } from "../exec/blocks.ts";
import { ENV } from "../exec/contract.ts";
import type { DirectMemory, RegionOptions, Target, TcgStats } from "../exec/contract.ts";
import { EXIT_LOOKUP, TARGETS, TB } from "../exec/descriptor.ts";
import { helperEffects } from "../exec/chains.ts";
import type { Stopwatch } from "../exec/stopwatch.ts";
import type { Block } from "../ir/block.ts";
import { Uncompilable } from "../wasm/analysis.ts";
import type { BlockModules } from "../wasm/block-modules.ts";
import { DEFAULT_REGION_INSNS, DEFAULT_REGION_THRESHOLD } from "../exec/defaults.ts";
import { grow, regrow } from "./grow.ts";
import type { Growth, Profile } from "./grow.ts";
import { hubFor } from "./hub.ts";
import { inlineCalls } from "./inline.ts";
import { edgesOf } from "./plan.ts";
import type { RegionBlock, RegionPlan } from "./plan.ts";
import { unroll } from "./unroll.ts";
import { RegionCompiler } from "./region-compiler.ts";

/** A compiled region. */
export interface Region {
  readonly head: Tb;
  readonly members: readonly Tb[];
  /** Blocks whose descriptors lead into it: the head, and where loops begin. */
  readonly entries: Tb[];
  /** Index in the function table. */
  readonly slot: number;
  readonly bytes: number;
  readonly insns: number;
  /** Pages of the address space with its code, as low halves, and where they lay in the machine memory. */
  readonly pages: readonly { readonly pcLo: number; readonly ram: number }[];
  alive: boolean;
  /** Times that it could not be entered since one of its pages was elsewhere. */
  elsewhere: number;
  /** Times that it was left for the interpreter, or may have been: another region may have been that has the block too. */
  uncommon: number;
}

/** What regions need of the engine and of the vCPU that found the code hot. */
export interface RegionHost {
  readonly i32: Int32Array;
  readonly target: Target;
  readonly modules: BlockModules;
  readonly pcGlobal: number;
  readonly pcOffset: number;
  readonly direct: DirectMemory | undefined;
  readonly exact: boolean;
  readonly options: RegionOptions;
  readonly counters: TcgStats;
  readonly vcpus: readonly { readonly env: number }[];
  /** The optimised IR of a block's first instructions, undefined when its code can't be read as it was. */
  build(tb: Tb, insns: number, guards: (insn: number) => boolean): Block | undefined;
  /** Blocks that start at a place in the machine memory, as a list through `next`. */
  blocksAt(ram: number): Tb | undefined;
  /** Blocks whose code lies in a page of the machine memory. */
  blocksIn(ram: number): Iterable<Tb>;
  /** The block begins at a breakpoint: the run loop must see it. */
  stopsAt(tb: Tb): boolean;
  /** Makes a link that led to a block lead to the jump cache. */
  unlink(tb: Tb): void;
  /** There is more code than the cap allows: all of it will be thrown away. */
  full(): boolean;
  readonly watch: Stopwatch;
}

/** Where code lies: the place in the machine memory of the page of an address, negative when it can't be fetched. */
export type FetchPage = (pcLo: number, pcHi: number, flags: number) => number;

/**
 * Times that a region may be left for the interpreter before it is compiled anew, if it has no more instructions than
 * that; else as many times as it has instructions: to compile one costs more than to leave a region.
 */
const LEAST_UNCOMMON = 24;
/** When a region is compiled anew, accesses that left one this often are compiled to look closer by themselves. */
const SOME_UNCOMMON = 4;
/** Instructions for which a time is forgotten again. */
const SELDOM = 50_000;

/** Executions, as a share of those that make a block hot, of a block for whose sake its region is compiled anew. */
const OFTEN = 0.1;

/** Times that a region may be found unusable. */
const MOST_ELSEWHERE = 100;

/** Targets that an indirect jump is compared with, in a region without a hub. */
const MOST_COMPARED_ALONE = 24;

/** All regions of one machine. */
export class Regions {
  readonly #host: RegionHost;
  readonly #compiler: RegionCompiler;
  readonly #all: Set<Region> = new Set();
  /** Regions of several pages, by page of the address space (low half). */
  readonly #wide: Map<number, Set<Region>> = new Map();
  readonly #hot: Tb[] = [];
  readonly #uncommon: Map<string, { times: number; last: number }> = new Map();
  /** Accesses that look closer by themselves. */
  readonly #slow: Set<string> = new Set();
  readonly #flagsGlobal: number;
  #seed: number;

  constructor(host: RegionHost) {
    this.#host = host;
    this.#seed = host.options.stress ?? 0;
    this.#flagsGlobal = host.target.globals.findIndex((g) => g.offset === ENV.tbFlags);
    this.#compiler = new RegionCompiler({
      imports: host.modules,
      target: { word: host.target.wordType, pcOffset: host.pcOffset, unaligned: host.target.unaligned === true },
      pcGlobal: host.pcGlobal,
      flagsGlobal: this.#flagsGlobal,
      effects: helperEffects(host.target.globals),
      direct: host.direct,
      exact: host.exact,
      isSlowSite: (tb, site) => this.#isSlowSite(tb, site),
    });
  }

  /** A block is hot: a region is built around it at the next opportunity. */
  request(tb: Tb): void {
    if (tb.alive && tb.limit === 0 && tb.ram >= 0 && !this.#host.stopsAt(tb)) this.#hot.push(tb);
  }

  get waiting(): boolean {
    return this.#hot.length > 0;
  }

  /** Builds the regions asked for. Call while no guest code runs. */
  buildAll(fetchPage: FetchPage): void {
    for (let tb = this.#hot.shift(); tb !== undefined; tb = this.#hot.shift()) {
      if (!tb.alive || (tb.region !== undefined && this.#seed === 0)) continue;
      const t0 = this.#host.watch.start();
      this.#build(tb, fetchPage);
      this.#host.counters.regionMs += this.#host.watch.since(t0);
      if (this.#host.full()) break;
    }
  }

  #build(hot: Tb, fetchPage: FetchPage): void {
    const { options, counters, exact } = this.#host;
    const profile = this.#profile(hot, fetchPage);
    let maxInsns = options.maxInsns ?? DEFAULT_REGION_INSNS;
    if (this.#seed !== 0) maxInsns = 1 + (this.#random() % 60);
    const growth =
      this.#again(hot, profile, maxInsns) ??
      grow(hot, profile, maxInsns, (head) => head.region?.members.includes(hot) === true);
    const blocks: RegionBlock[] = [];
    const nodeAt = new Map<number, number>();
    const starts = new Set(growth.blocks.map(({ pcLo }) => pcLo));
    let total = 0;
    const make = (tb: Tb, others: ReadonlySet<number>): RegionBlock | undefined => {
      // An exact machine counts whole blocks, so that the clock that counts instructions reads the same on all back ends.
      const insns = exact ? tb.insns : this.#insnsUpTo(others, tb);
      const block = this.#host.build(tb, insns, (site) => !this.#isSlowSite(tb.address, site));
      return block === undefined ? undefined : { tb, block, insns, executions: profile.executions(tb), targets: [] };
    };
    for (const tb of growth.blocks) {
      const made = make(tb, starts);
      if (made === undefined) continue;
      blocks.push(made);
      nodeAt.set(tb.pcLo, blocks.length);
      total += made.insns;
    }
    if (blocks[0]?.tb !== growth.blocks[0]) return void counters.regionsRefused++;
    const targets = blocks.map(({ tb }) => profile.targets(tb).filter((t) => nodeAt.has(t)));
    const jumps = targets.filter((_, i) => blocks[i]!.tb.exits.some(({ kind }) => kind === "indirect"));
    const hub = hubFor(jumps, nodeAt);
    blocks.forEach((it, i) => {
      const of = hub === undefined ? targets[i]!.slice(0, MOST_COMPARED_ALONE) : targets[i]!;
      if (of.length > 0) blocks[i] = { ...it, targets: of };
    });
    const copied = inlineCalls(blocks, nodeAt, profile, make);
    const plan = { blocks: copied, proper: blocks.length, nodeAt, insns: total, ...(hub === undefined ? {} : { hub }) };
    const edges = edgesOf(plan, (it) => this.#compiler.exitsOf(it));
    this.#compile(exact ? plan : unroll(plan, edges), profile);
  }

  /** A block of a region is hot outside it: the region grown once more, and dropped, when it left out what is now executed often. */
  #again(hot: Tb, profile: Profile, maxInsns: number): Growth | undefined {
    if (this.#seed !== 0) return undefined;
    const often = (this.#host.options.threshold ?? DEFAULT_REGION_THRESHOLD) * OFTEN;
    for (const region of hot.regions ?? []) {
      const growth = region.head.region === region ? regrow(region, hot, profile, maxInsns, often) : undefined;
      if (growth === undefined) continue;
      this.drop(region);
      return growth;
    }
    return undefined;
  }

  /** Instructions of a block before the first at which another one begins: a loop must have but one header. */
  #insnsUpTo(starts: ReadonlySet<number>, tb: Tb): number {
    const { i32, target } = this.#host;
    const words = (tb.address + TB.words) >>> 2;
    for (let n = 1; n < tb.insns; n++) {
      if (starts.has((tb.pcLo + i32[words + n * target.insnWords]!) | 0)) return n;
    }
    return tb.insns;
  }

  #compile(plan: RegionPlan, profile: { pageOf(pcLo: number): number }): void {
    const { modules, counters, i32, direct } = this.#host;
    let made: { slot: number; bytes: number; numbers: Int32Array };
    try {
      const { blocks, insns } = plan;
      const about = `${blocks.length} blocks, ${insns} instructions`;
      made = modules.compileRegion(blocks[0]!.tb.address, about, () => this.#compiler.compileRegion(plan));
    } catch (error) {
      if (!(error instanceof Uncompilable) && !modules.isRefusal(error)) throw error;
      counters.regionsRefused++;
      return;
    }
    const members = [...new Set(plan.blocks.map(({ tb }) => tb))];
    const pages = new Map<number, number>();
    for (const tb of members) {
      for (const pcLo of [tb.pcLo, (tb.pcLo + tb.length - 1) | 0]) pages.set(pcLo & ~4095, profile.pageOf(pcLo));
    }
    const region: Region = {
      head: members[0]!, members, entries: [], slot: made.slot, bytes: made.bytes, alive: true, elsewhere: 0, uncommon: 0,
      insns: plan.insns, pages: direct === undefined ? [...pages].map(([pcLo, ram]) => ({ pcLo, ram })) : [],
    }; // prettier-ignore
    for (const tb of members) (tb.regions ??= new Set()).add(region);
    plan.blocks.slice(0, plan.proper).forEach(({ tb }, i) => {
      const number = made.numbers[i + 1]!;
      if (i > 0 && (number === 0 || (tb.region !== undefined && tb.region.insns >= plan.insns))) return this.#cool(tb);
      if (tb.region !== undefined) this.#leave(tb.region, tb);
      tb.region = region;
      region.entries.push(tb);
      i32[(tb.address + TB.resume) >>> 2] = i === 0 ? 0 : number;
      i32[(tb.address + TB.fn) >>> 2] = made.slot;
      // A link to it says only that its own page is where it was.
      if (region.pages.length > 1) this.#host.unlink(tb);
    });
    this.#all.add(region);
    if (region.pages.length > 1) for (const { pcLo } of region.pages) this.#onPage(pcLo).add(region);
    counters.regions++;
    counters.regionBlocks += members.length;
    counters.regionInsns += plan.insns;
    counters.regionBytes += made.bytes;
    counters.codeBytes += made.bytes;
  }

  #onPage(pcLo: number): Set<Region> {
    const page = pcLo >>> 12;
    let set = this.#wide.get(page);
    if (set === undefined) this.#wide.set(page, (set = new Set()));
    return set;
  }

  /** Calls `fn` for the entries of regions of several pages that have code in the page of an address. */
  entriesWith(pcLo: number, fn: (tb: Tb) => void): void {
    for (const region of this.#wide.get(pcLo >>> 12) ?? []) for (const tb of region.entries) fn(tb);
  }

  /** A block has become part of a region: only when it is hot once more, from outside, does it get one of its own. */
  #cool(tb: Tb): void {
    if (this.#seed !== 0 || this.#host.options.threshold === 0) return;
    this.heat(tb);
    const asked = this.#hot.indexOf(tb);
    if (asked >= 0) this.#hot.splice(asked, 1);
  }

  /** An entry now belongs to another region; one without entries is of no use. */
  #leave(region: Region, tb: Tb): void {
    region.entries.splice(region.entries.indexOf(tb), 1);
    if (region.entries.length === 0) this.drop(region);
  }

  /** Takes a region out of use. It may still be running. */
  drop(region: Region): void {
    if (!region.alive) return;
    region.alive = false;
    this.#all.delete(region);
    if (region.pages.length > 1) for (const { pcLo } of region.pages) this.#onPage(pcLo).delete(region);
    const { i32, counters, modules, vcpus } = this.#host;
    counters.regionsDropped++;
    counters.codeBytes -= region.bytes;
    for (const tb of region.entries) {
      tb.region = undefined;
      i32[(tb.address + TB.fn) >>> 2] = tb.blockFn;
      i32[(tb.address + TB.resume) >>> 2] = 0;
      this.heat(tb);
    }
    for (const tb of region.members) tb.regions?.delete(region);
    modules.release(region.slot);
    for (const { env } of vcpus) i32[(env + ENV.returns) >>> 2] = EXIT_LOOKUP;
  }

  /** Counts a compiled block's executions from now on, so that it becomes hot (again). */
  heat(tb: Tb): void {
    const { i32, options } = this.#host;
    const at = (tb.address + TB.counter) >>> 2;
    tb.executedBefore += tb.counterStart - i32[at]!;
    tb.counterStart = i32[at] = Math.min(options.threshold ?? DEFAULT_REGION_THRESHOLD, 0x7fffffff);
  }

  executions(tb: Tb): number {
    return tb.executedBefore + tb.counterStart - this.#host.i32[(tb.address + TB.counter) >>> 2]!;
  }

  /** Whether all pages of a region are where they were when it was compiled. One that often is not goes. */
  usable(region: Region, fetchPage: FetchPage): boolean {
    const { head, pages } = region;
    if (pages.every(({ pcLo, ram }) => fetchPage(pcLo, head.pcHi, head.flags) === ram)) return true;
    if (++region.elsewhere === MOST_ELSEWHERE) this.drop(region);
    return !region.alive;
  }

  /** The interpreter had to do an instruction of a region, when so many instructions had been executed. */
  uncommon(address: number, tb: Tb | undefined, site: number, executed: number): void {
    const key = this.#siteOf(address, site);
    const it = this.#uncommon.get(key) ?? { times: 0, last: 0 };
    this.#uncommon.set(key, it);
    // What happens now and then costs less than a closer look each time, and much less than to compile the region anew.
    const rests = Math.floor((executed - it.last) / SELDOM);
    it.times = Math.max(1, it.times + 1 - rests);
    it.last = executed;
    if (it.times < SOME_UNCOMMON) return;
    for (const region of tb?.regions ?? []) {
      if (++region.uncommon < Math.max(LEAST_UNCOMMON, region.insns)) continue;
      for (const [other, { times }] of this.#uncommon) if (times >= SOME_UNCOMMON) this.#slow.add(other);
      this.drop(region);
      this.request(region.head);
    }
  }

  #isSlowSite(address: number, site: number): boolean {
    return this.#slow.size > 0 && this.#slow.has(this.#siteOf(address, site));
  }

  #siteOf(address: number, site: number): string {
    const at = (address + TB.pc) >>> 2;
    return `${this.#host.i32[at]!},${this.#host.i32[at + 1]!},${site}`;
  }

  /** All code is gone. */
  reset(): void {
    for (const region of this.#all) region.alive = false;
    this.#all.clear();
    this.#wide.clear();
    this.#hot.length = 0;
    this.#uncommon.clear();
    this.#slow.clear();
  }

  /** For tests: drops some region now and then. */
  shake(): void {
    if (this.#seed === 0 || this.#random() % 7 !== 0) return;
    const all = [...this.#all];
    if (all.length > 0) this.drop(all[this.#random() % all.length]!);
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed >>> 8;
  }

  #profile(hot: Tb, fetchPage: FetchPage): Profile & { pageOf(pcLo: number): number } {
    const { i32 } = this.#host;
    const pages = new Map<number, number>();
    const pageOf = (pcLo: number): number => {
      const page = pcLo & ~4095;
      let ram = pages.get(page);
      if (ram === undefined) pages.set(page, (ram = fetchPage(page, hot.pcHi, hot.flags)));
      return ram;
    };
    const fits = (tb: Tb): boolean =>
      tb.alive && tb.limit === 0 && !this.#host.stopsAt(tb) && tb.flags === hot.flags && tb.pcHi === hot.pcHi &&
      pageOf(tb.pcLo) === tb.ram - (tb.ram & 4095) && (tb.ram2 < 0 || pageOf((tb.pcLo + 4096) | 0) === tb.ram2); // prettier-ignore
    const found = new Map<number, Tb | undefined>();
    const blockAt = (pcLo: number): Tb | undefined => {
      if (found.has(pcLo)) return found.get(pcLo);
      let it: Tb | undefined;
      const ram = pageOf(pcLo);
      if (ram >= 0) {
        for (let tb = this.#host.blocksAt(ram + (pcLo & 4095)); tb !== undefined; tb = tb.next) {
          if (tb.pcLo === pcLo && fits(tb)) it = tb;
        }
      }
      found.set(pcLo, it);
      return it;
    };
    const near = function* (pcLo: number, blocksIn: (ram: number) => Iterable<Tb>): Iterable<Tb> {
      for (const page of [pcLo, pcLo - 4096, pcLo + 4096]) {
        const ram = pageOf(page | 0);
        if (ram < 0) continue;
        for (const tb of blocksIn(ram)) if (fits(tb)) yield tb;
      }
    };
    const targets = (tb: Tb): readonly number[] => {
      const list = i32[(tb.address + TB.targets) >>> 2]!;
      if (list === 0) return [];
      const counts = new Map<number, number>();
      for (let n = 0; n < TARGETS; n++) {
        const pcLo = i32[(list >>> 2) + n]!;
        if (pcLo !== 0) counts.set(pcLo, (counts.get(pcLo) ?? 0) + 1);
      }
      return [...counts].toSorted((a, b) => b[1] - a[1]).map(([pcLo]) => pcLo);
    };
    return {
      pageOf, blockAt, targets,
      near: (pcLo) => near(pcLo, (ram) => this.#host.blocksIn(ram)),
      executions: (tb) => this.executions(tb),
    }; // prettier-ignore
  }
}
