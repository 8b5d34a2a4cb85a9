import { BytecodeOverflow } from "../interp/bytecode.ts";
import { Handlers } from "../interp/handlers.ts";
import type { Block } from "../ir/block.ts";
import { IrContext } from "../ir/context.ts";
import { print } from "../ir/print.ts";
import { swapBytes } from "../opt/byte-order.ts";
import { Optimiser } from "../opt/pipeline.ts";
import { BlockModules, type BlockInput } from "../wasm/block-modules.ts";
import { wasm, type WasmTable } from "../wasm/types.ts";
import { isShared } from "../wasm/share-memory.ts";
import { WatTrace } from "../wasm/wat-trace.ts";
import { Arena, NO_LIMIT } from "./arena.ts";
import { BlockCache, type Tb } from "./blocks.ts";
import { codeLines } from "./code-lines.ts";
import { type CodePages, inOneStep, joinCodePages } from "./code-pages.ts";
import { ENV, envSize } from "./contract.ts";
import type {
  BackEnd,
  DirectMemory,
  Engine,
  PhysicalBus,
  Target,
  TargetCpu,
  TcgConfig,
  TcgOptions,
  TcgStats,
  WasmMemory,
} from "./contract.ts";
import { DEFAULT_CODE_CAP, DEFAULT_HOT, DEFAULT_REGION_THRESHOLD, DEFAULT_TB_SIZE, LEAST_TB_SIZE } from "./defaults.ts";
import { ofHalves } from "./halves.ts";
import { HotBlocks } from "./hot-blocks.ts";
import { EXIT_LOOKUP, TB } from "./descriptor.ts";
import { linkHelpers, makeRuntime, type Runtime } from "./runtime.ts";
import { NOT_RAM } from "./soft-tlb.ts";
import { listing } from "./listing.ts";
import { Draft } from "./draft.ts";
import { newStats } from "./stats.ts";
import { Stopwatch } from "./stopwatch.ts";
import { BlockTranslator, type CodeSource, type Translated } from "./translate.ts";
import { Regions, type FetchPage } from "../region/regions.ts";
import { Vcpu } from "./vcpu.ts";

/** A block is translated for its first execution, or again because it is hot. */
type Tier = "first" | "hot";

/** What a block is translated from and for. */
export interface BlockKey {
  readonly pcLo: number;
  readonly pcHi: number;
  readonly flags: number;
  readonly limit: number;
  readonly ram: number;
}

/** Code as the translator reads it, and where its tail lay. */
export interface BlockSource extends CodeSource {
  /** Page of the tail in the machine memory, if anything of it was read; {@link NOT_RAM}: it is not there; else -1. */
  readonly ram2: number;
}

/** The engine of one machine: translated code, and the vCPUs that run it. */
export class TcgMachine implements Engine {
  readonly memory: WasmMemory;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly words: BigInt64Array | undefined;
  readonly shared: boolean;
  /** @internal */
  readonly codePages: CodePages | undefined;
  readonly bus: PhysicalBus;
  readonly target: Target;
  readonly options: TcgOptions;
  /** @internal */
  readonly blocks: BlockCache;
  /** @internal Undefined where there are none. */
  readonly regions: Regions | undefined;
  readonly direct: DirectMemory | undefined;
  readonly counters: TcgStats = newStats();
  /** @internal */
  readonly table: WasmTable;
  /** @internal */
  readonly runtime: Runtime;
  readonly ir: IrContext;
  /** Offset of the program counter from `env`, in bytes. */
  readonly pcOffset: number;
  readonly cpus: Vcpu[] = [];
  /** vCPUs that take turns on this thread. */
  turns = 0;
  /** Instructions per block at most. */
  readonly maxInsns: number;
  readonly breakpoints: Set<bigint> = new Set();
  /** Instructions that all vCPUs together executed in the runs that have ended. */
  executed = 0;
  readonly #byEnv: Map<number, Vcpu> = new Map();
  readonly #alloc: (name: string, size: number) => number;
  readonly #watch: Stopwatch;
  readonly #arena: Arena;
  #flushWanted = false;
  readonly #translator: BlockTranslator;
  readonly #draft: Draft;
  /** Address of what `ENV.lines` means. */
  readonly #lines: number;
  readonly #modules: BlockModules;
  readonly #hotBlocks: HotBlocks;
  readonly #backend: BackEnd;
  readonly #optimiser: Optimiser | undefined;

  constructor(config: TcgConfig) {
    const { memory, target } = config;
    this.memory = memory;
    this.u8 = new Uint8Array(memory.buffer);
    this.u16 = new Uint16Array(memory.buffer);
    this.i32 = new Int32Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.shared = isShared(memory);
    this.words = this.shared ? new BigInt64Array(memory.buffer) : undefined;
    this.codePages = config.codePages;
    this.bus = config.physical;
    this.target = target;
    this.options = config.options ?? {};
    this.#watch = new Stopwatch(this.options);
    this.#hotBlocks = new HotBlocks(this.i32, this.options.batch ?? 128);
    this.#optimiser = this.options.optimise === false ? undefined : new Optimiser();
    this.#backend = this.options.backend ?? "auto";
    this.maxInsns = this.options.maxInsns ?? 64;
    this.#alloc = config.alloc;
    const arenaSize = Math.max(this.options.tbSize ?? DEFAULT_TB_SIZE, LEAST_TB_SIZE);
    this.#arena = new Arena(this.i32, this.u16, config.alloc("tcg.code", arenaSize), arenaSize);
    // Engines that share pages with code ask each other before each store.
    const lines = this.codePages === undefined ? codeLines(this.u8, config.alloc) : undefined;
    this.#lines = lines?.start ?? 0;
    this.blocks = new BlockCache(this.i32, this.bus, this.codePages, lines);
    this.ir = new IrContext(target.globals, target.helpers);
    this.pcOffset = target.globals[this.ir.global(target.pcGlobal)]!.offset;
    const handlers = new Handlers(target.wordType, target.helpers);
    this.#translator = new BlockTranslator(target, this.ir, {
      maxInsns: this.maxInsns, traceStores: this.options.traceStores === true, shared: this.shared, exact: this.options.exact === true,
    }); // prettier-ignore
    this.#draft = new Draft(handlers, target, this.ir, this.#translator.beginSample);
    this.#arena.reset(this.#draft.writer.jumpCacheLookup());
    this.table = new wasm.Table({ initial: 1024, element: "anyfunc" });
    let last: Vcpu | undefined;
    const vcpu = (env: number): Vcpu =>
      last !== undefined && last.env === env ? last : (last = this.#byEnv.get(env)!);
    this.runtime = makeRuntime(
      memory, this.table, target, handlers, this.pcOffset, lines?.start ?? 0,
      {
        load: (env, lo, hi, oi) => void vcpu(env).tlb.load(lo, hi, oi),
        store: (env, lo, hi, oi) => void vcpu(env).tlb.store(lo, hi, oi),
        probe: (env, lo, hi, oi) => void vcpu(env).tlb.probe(lo, hi, oi),
        atomicAddress: this.shared
          ? (env, lo, hi, oi) => vcpu(env).tlb.locked(lo, hi, oi)
          : (env, lo, hi, oi) => vcpu(env).tlb.atomicAddress(lo, hi, oi),
        hot: (_env, tb) => this.#hot(tb),
      },
      linkHelpers(target, memory),
    ); // prettier-ignore
    this.#modules = new BlockModules(memory, this.table, target, this.runtime, this.pcOffset);
    this.direct = config.direct;
    this.regions = this.#makeRegions();
    this.#modules.profile = this.regions !== undefined;
    const show = this.options.trace?.outWat;
    if (show !== undefined) this.#modules.trace = new WatTrace(show, (tb) => this.#listing(tb));
    this.blocks.onDeath = (tb) => {
      for (const cpu of this.cpus) cpu.jumpCache.remove(tb);
      for (const region of tb.regions ?? []) this.regions?.drop(region);
    };
    this.blocks.onCodePage = (ram) => {
      for (const cpu of this.cpus) cpu.tlb.protect(ram);
    };
    if (this.codePages !== undefined) joinCodePages(this.codePages, this.bus, this.blocks, this.cpus);
    this.bus.onCodeWrite((ram, length) => this.blocks.invalidate(ram, length));
    this.bus.onChange(() => {
      for (const cpu of this.cpus) cpu.flushTlb(-1);
    });
  }

  #makeRegions(): Regions | undefined {
    const { options } = this;
    const threshold = options.region?.threshold ?? (this.#backend === "region" ? 0 : DEFAULT_REGION_THRESHOLD);
    const wanted = this.#backend === "region" || (this.#backend === "auto" && Number.isFinite(threshold));
    if (!wanted || options.trace?.exec !== undefined) return undefined;
    return new Regions({
      i32: this.i32,
      target: this.target,
      modules: this.#modules,
      pcGlobal: this.ir.global(this.target.pcGlobal),
      pcOffset: this.pcOffset,
      direct: this.direct,
      exact: options.exact === true,
      options: { ...options.region, threshold },
      counters: this.counters,
      vcpus: this.cpus,
      build: (tb, insns, guards) => this.#again(tb, insns, guards),
      blocksAt: (ram) => this.blocks.at(ram),
      blocksIn: (ram) => this.blocks.inPage(ram),
      stopsAt: (tb) => this.stopsAt(tb),
      unlink: (tb) => {
        for (const at of tb.incoming ?? []) this.i32[at >>> 2] = this.trampoline;
        tb.incoming = undefined;
        for (const cpu of this.cpus) cpu.jumpCache.remove(tb);
      },
      full: () => this.#limitCode(),
      watch: this.#watch,
    });
  }

  /** @internal Builds the regions that wait. Call while no guest code runs. */
  buildRegions(fetchPage: FetchPage): void {
    const { regions } = this;
    if (regions === undefined) return;
    regions.shake();
    if (regions.waiting) regions.buildAll(fetchPage);
  }

  /**
   * Adds a vCPU; `make` gets the address of its state block, which is zeroed. `elsewhere`: another thread runs it, and this
   * one looks at it while it stands.
   */
  createCpu(make: (env: number, engine: Engine) => TargetCpu, elsewhere = false): Vcpu {
    const env = this.#alloc(`tcg.cpu${this.cpus.length}`, envSize(this.target.mmuIndexes));
    this.i32[(env + ENV.lines) >>> 2] = this.#lines;
    this.i32[(env + ENV.exact) >>> 2] = this.options.exact === true ? 1 : 0;
    const vcpu = new Vcpu(this, env, make(env, this), elsewhere);
    this.cpus.push(vcpu);
    if (!elsewhere) this.#modules.serve(env, ++this.turns);
    // What was compiled for one alone is no code for another.
    if (this.turns === 2) this.flushCode();
    this.#byEnv.set(env, vcpu);
    return vcpu;
  }

  // Engine

  exclusive<T>(fn: () => T): T {
    return inOneStep(this.codePages, fn);
  }

  flushTlb(env: number, mask: number, keepGlobal = false): void {
    this.#byEnv.get(env)?.flushTlb(mask, keepGlobal);
  }

  flushTlbPage(env: number, lo: number, hi: number): void {
    this.#byEnv.get(env)?.flushTlbPage(lo, hi);
  }

  flushCode(): void {
    this.#flushWanted = true;
    for (const cpu of this.cpus) this.kick(cpu.env);
  }

  kick(env: number): void {
    this.#byEnv.get(env)?.recheck();
  }

  load(env: number, lo: number, hi: number, size: 1 | 2 | 4 | 8, mmu: number): boolean {
    return this.#byEnv.get(env)!.tlb.load(lo, hi, (31 - Math.clz32(size)) | (mmu << 4));
  }

  store(env: number, lo: number, hi: number, size: 1 | 2 | 4 | 8, mmu: number): boolean {
    const { tlb } = this.#byEnv.get(env)!;
    const { alone } = tlb;
    // A helper's stores are not repeated.
    tlb.alone = true;
    const done = tlb.store(lo, hi, (31 - Math.clz32(size)) | (mmu << 4));
    tlb.alone = alone;
    return done;
  }

  // ----

  /** Blocks end before these addresses, and `run` returns "debug" there. */
  setBreakpoints(pcs: Iterable<bigint>): void {
    this.breakpoints.clear();
    for (const pc of pcs) this.breakpoints.add(BigInt.asUintN(64, pc));
    this.flushCode();
  }

  /** A block begins at a breakpoint. */
  stopsAt(tb: Tb): boolean {
    return this.breakpoints.size > 0 && this.breakpoints.has(ofHalves(tb.pcLo, tb.pcHi));
  }

  /** Counters so far. */
  stats(): TcgStats {
    const c = this.counters;
    return { ...c, exits: { ...c.exits }, invalidations: this.blocks.invalidations, arenaBytes: this.#arena.used };
  }

  /** Throws all code away if that was asked for. Call while no block runs. */
  flushIfWanted(): void {
    if (this.#flushWanted) this.#flushNow();
  }

  #flushNow(): void {
    this.#flushWanted = false;
    this.counters.flushes++;
    this.blocks.clear();
    for (const cpu of this.cpus) cpu.jumpCache.flush();
    this.#arena.reset(this.#draft.writer.jumpCacheLookup());
    this.#hotBlocks.take();
    this.regions?.reset();
    this.#modules.reset();
    this.counters.codeBytes = 0;
    for (const cpu of this.cpus) this.i32[(cpu.env + ENV.returns) >>> 2] = EXIT_LOOKUP;
  }

  /** Has all code thrown away when there is more than the cap. @returns whether there is */
  #limitCode(): boolean {
    if (this.counters.codeBytes <= (this.options.region?.codeCap ?? DEFAULT_CODE_CAP)) return false;
    if (this.#flushWanted) return true;
    this.counters.evictions++;
    this.flushCode();
    return true;
  }

  /** Descriptor of a block of no instructions that goes on with the one the jump cache has for pc. */
  get trampoline(): number {
    return this.#arena.trampoline;
  }

  /** @internal Translates a block and enters it into the caches. @returns undefined when the target raised at its first byte. */
  translate(cpu: Vcpu, key: BlockKey, source: BlockSource): Tb | undefined {
    const t0 = this.#watch.start();
    for (let limit = key.limit; ; limit = limit > 1 ? limit >> 1 : 32) {
      this.#draft.begin();
      let done: Translated | undefined;
      try {
        done = this.#build(cpu, key, source, limit, "first");
        if (done === undefined) return undefined;
        this.#draft.append(done.block);
      } catch (error) {
        // Too many values for the interpreter's temporaries: a shorter block has fewer.
        if (!(error instanceof BytecodeOverflow) || limit === 1) throw error;
        continue;
      }
      const tb = this.#install(key, done, source.ram2);
      this.counters.translateMs += this.#watch.since(t0);
      if (this.#backend === "wasm" && tb.ram >= 0) this.compile([tb]);
      if (this.#backend === "region") this.regions?.request(tb);
      return tb;
    }
  }

  /** The optimised IR of a block. */
  #build(
    cpu: Vcpu,
    key: BlockKey,
    source: CodeSource,
    limit: number,
    tier: Tier,
    guards?: (insn: number) => boolean,
  ): Translated | undefined {
    const pc = ofHalves(key.pcLo, key.pcHi);
    const stop = this.breakpoints.size > 0 ? (at: bigint): boolean => this.breakpoints.has(at) : undefined;
    // Blocks that will be translated again when they are hot are not worth the optimiser's time now.
    const passing = tier === "first" && this.#backend === "auto";
    const { trace } = this.options;
    const stamps = passing && trace?.op === undefined && this.options.traceStores !== true ? this.#draft : undefined;
    const done = this.#translator.translate(cpu.cpu, pc, key.flags, source, limit, stop, guards, passing, stamps);
    if (done === undefined) return undefined;
    if (tier === "first") {
      if (trace?.inAsm !== undefined) trace.inAsm(listing(this.target, pc, source, done.length).join(""));
      trace?.op?.(print(done.block));
    }
    if (done.swaps) swapBytes(done.block);
    if (this.#optimiser === undefined || passing) return done;
    const block = this.#optimiser.run(done.block);
    trace?.opOpt?.(print(block));
    return { ...done, block };
  }

  /** The instructions of the block with a descriptor. */
  #listing(address: number): string[] {
    const tb = this.blocks.all[this.i32[(address + TB.id) >>> 2]!];
    if (tb === undefined) return [];
    const pc = ofHalves(tb.pcLo, tb.pcHi);
    return listing(this.target, pc, { byte: this.#bytesOf(tb) }, tb.length);
  }

  /** The code of a block as it is in the machine memory. */
  #bytesOf(tb: Tb): (at: number) => number {
    const split = 4096 - (tb.ram & 4095);
    return (at) => this.u8[at < split ? tb.ram + at : tb.ram2 + at - split]!;
  }

  /** Places descriptor, words and bytecode in the arena. */
  #install(key: BlockKey, done: Translated, ram2: number): Tb {
    const { insns, length } = done;
    const { writer, exits } = this.#draft;
    const words = insns * this.target.insnWords;
    if (!this.#arena.fits(writer.length, words)) this.#flushNow();
    const id = this.blocks.all.length;
    const counter = this.#backend === "auto" ? (this.options.hotThreshold ?? DEFAULT_HOT) : NO_LIMIT;
    const { pcLo, pcHi } = key;
    const address = this.#arena.place(writer, words, { id, insns, counter, pcLo, pcHi });
    const tb: Tb = {
      address, id, pcLo, pcHi, flags: key.flags, limit: key.limit, insns,
      // Nobody tells of changes to code that is not RAM: such a block is not kept, wherever it begins.
      ram: ram2 === NOT_RAM ? -1 : key.ram, length, ram2, alive: true, incoming: undefined, next: undefined,
      exits, region: undefined, regions: undefined, blockFn: 0,
      counterStart: counter, executedBefore: 0,
    }; // prettier-ignore
    this.blocks.add(tb);
    const c = this.counters;
    c.blocks++;
    c.guestInsns += insns;
    c.guestBytes += length;
    c.irOps += this.#draft.irOps;
    return tb;
  }

  /** The interpreter counted a block's executions down. */
  #hot(address: number): void {
    const tb = this.blocks.all[this.i32[(address + TB.id) >>> 2]!];
    if (tb === undefined || tb.ram < 0 || this.#backend !== "auto") return;
    if (tb.blockFn !== 0) {
      this.regions?.request(tb);
      // The run loop builds it before the next block.
      for (const cpu of this.cpus) cpu.recheck();
      return;
    }
    if (this.#hotBlocks.add(tb)) this.compileHot();
  }

  /** A vCPU begins a run: blocks that wait to be compiled do not wait for ever. */
  aging(): void {
    if (this.#hotBlocks.aging(this.executed)) this.compileHot();
  }

  /** Compiles the blocks that became hot. */
  compileHot(): void {
    const blocks = this.#hotBlocks.take();
    if (blocks.length === 0) return;
    this.compile(blocks);
    this.#limitCode();
  }

  /** A block's optimised IR once more; undefined when its code is not what it was. */
  #again(tb: Tb, insns: number, guards?: (insn: number) => boolean): Block | undefined {
    const again = this.#build(this.cpus[0]!, tb, { byte: this.#bytesOf(tb) }, insns, "hot", guards);
    return again === undefined || again.insns !== insns ? undefined : again.block;
  }

  /** Compiles blocks in one module. */
  compile(blocks: readonly Tb[]): void {
    const t0 = this.#watch.start();
    const inputs: BlockInput[] = [];
    for (const tb of blocks) {
      // A loop of one block would pass by its own breakpoint.
      if (this.stopsAt(tb)) continue;
      const block = this.#again(tb, tb.insns);
      if (block === undefined) {
        this.counters.uncompilable++;
        continue;
      }
      if (this.regions !== undefined && tb.exits.some(({ kind }) => kind.startsWith("indirect"))) {
        this.#arena.listTargets(tb.address);
      }
      inputs.push({ block, tb: tb.address, insns: tb.insns, targets: this.i32[(tb.address + TB.targets) >>> 2]! });
    }
    const { functions, bytes } = this.#modules.compile(inputs);
    inputs.forEach(({ tb: address }, i) => {
      const fn = functions[i]!;
      if (fn === 0) this.counters.uncompilable++;
      else this.counters.compiled++;
      const tb = this.blocks.all[this.i32[(address + TB.id) >>> 2]!]!;
      tb.blockFn = fn;
      if (tb.region === undefined) this.i32[(address + TB.fn) >>> 2] = fn;
      if (fn !== 0) this.regions?.heat(tb);
    });
    this.counters.modules++;
    this.counters.wasmBytes += bytes;
    this.counters.codeBytes += bytes;
    this.counters.compileMs += this.#watch.since(t0);
  }
}
