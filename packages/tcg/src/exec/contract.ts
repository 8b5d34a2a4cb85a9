/**
 * What a target, a machine and the engine agree on: the vCPU's state block, and the interfaces between the three.
 *
 * Generated code has the type `(env: i32, tb: i32) -> i32`. `env` is the byte address of the vCPU's state block in the
 * machine memory, `tb` the address of the translation block's descriptor.
 */
import type { Stamp } from "../interp/stamp.ts";
import type { Builder } from "../ir/builder.ts";
import type { EnvField, HelperSpec } from "../ir/type.ts";
import type { CodePages } from "./code-pages.ts";

/** A field of every vCPU's state block. */
export type EnvName =
  | "budget" | "exception" | "exitTb" | "exitSite" | "tbFlags" | "halted" | "kicked" | "scratch" | "storeHash"
  | "storeCount" | "returns" | "depth" | "lines" | "fills" | "exact" | "target" | "temps" | "tempsEnd" | "jumpCache"
  | "tlb"; // prettier-ignore

/** Byte offsets in a vCPU's state block, from `env`. */
export const ENV: Readonly<Record<EnvName, number>> = {
  /** i32: instructions that may still run before control returns to the run loop. */
  budget: 0,
  /** i32: 0, or the index of the raised exception plus one. */
  exception: 8,
  /** i32: descriptor of the block that left through its fault exit. */
  exitTb: 12,
  /** i32: index of the instruction in that block that faulted. */
  exitSite: 16,
  /** i32: part of every block lookup; the target keeps it true. Bits 0–2 are the mmu index of instruction fetches. */
  tbFlags: 20,
  /** i32: non-zero while the vCPU waits for an interrupt. */
  halted: 24,
  /** i32: 0, or the budget taken away by a kick plus one. */
  kicked: 28,
  /** Four i64 that carry values across the border to JavaScript. */
  scratch: 32,
  /** i64: hash of all guest stores, when stores are traced. */
  storeHash: 64,
  /** i64: number of guest stores, when stores are traced. */
  storeCount: 72,
  /**
   * i32: what a guest return gives to the region that made the call: {@link EXIT.return}, or {@link EXIT_LOOKUP} once
   * something happened (code was dropped, translations were flushed) after which no region may simply go on.
   */
  returns: 80,
  /** i32: guest calls that may still become calls of the host; the run loop's own call has {@link CALL_DEPTH}. */
  depth: 84,
  /** i32: where a bitmap has a bit for each 64 bytes of the machine memory, set where there may be translated code; 0: there is none. */
  lines: 88,
  /** i32: entries in the list of fills, see {@link fillList}. */
  fills: 92,
  /** i32: 1 when instructions are counted exactly: a helper that does the work of many takes them off the budget. */
  exact: 96,
  /** First byte of the target's own fields. */
  target: 128,
  /** One past the last byte of the target's fields, and the first of the interpreter's temporaries. */
  temps: 4096,
  tempsEnd: 8192,
  /** Jump cache: {@link JUMP_CACHE_ENTRIES} × { i64 pc, i32 tbFlags, i32 descriptor }. */
  jumpCache: 8192,
  /**
   * TLBs, one per mmu index: {@link TLB_ENTRIES} × { i64 read tag, i64 write tag, i64 fetch tag, i32 addend, i32 whose
   * bit 0 says that the translation is global }.
   */
  tlb: 8192 + 65536 * 16,
};

/** Guest calls in progress at most that are calls of the host; deeper ones are jumps. */
export const CALL_DEPTH = 400;
/** Entries of a jump cache: a power of two, at most 65536. A read of a disk by a guest's kernel goes through a thousand blocks. */
export const JUMP_CACHE_ENTRIES = 65536;
/** Entries of one TLB: enough for 64 MiB at random, as a program in a booted guest sees it. */
export const TLB_ENTRIES = 16384;
/** Bytes of one TLB entry. */
export const TLB_ENTRY_SIZE = 32;
/** Bits of `tbFlags` that hold the mmu index of instruction fetches. */
export const TB_FLAGS_MMU = 7;

/**
 * Value of `env.exception` while an instruction that stores into translated code is given back to the run loop, which
 * drops that code and lets the instruction run by itself.
 */
export const STORE_TO_CODE = 0x7fffffff;

/** Size in bytes of the state block of a vCPU with `mmuIndexes` TLBs. */
export function envSize(mmuIndexes: number): number {
  return fillList(mmuIndexes) + MOST_FILLS * 8;
}

/** Entries of the list of fills at most. */
export const MOST_FILLS = 512;

/**
 * Offset from env of the list of TLB entries that {@link Target.fill} filled and the engine has not looked at yet:
 * { i32 number of the entry | log2 of the pages of the mapping << 24, i32 physical page number }.
 */
export function fillList(mmuIndexes: number): number {
  return ENV.tlb + mmuIndexes * TLB_ENTRIES * TLB_ENTRY_SIZE;
}

/** What {@link Target.fill} returns: it did nothing and changed nothing; the TLB maps the address now; it raised an exception. */
export const FILL = { refused: 0, filled: 1, raised: 2 } as const;

/** Kind of a guest memory access: 0 load, 1 store, 2 instruction fetch. */
export type Access = 0 | 1 | 2;
/** A guest load ({@link Access}). */
export const LOAD = 0;
/** A guest store. */
export const STORE = 1;
/** A guest instruction fetch. */
export const FETCH = 2;

/**
 * A function that generated code calls.
 *
 * JavaScript helpers get the `TargetCpu` first, then the parameters without `env`: an `i32` as one signed number, an
 * `i64` as two (low half, high half). A JavaScript helper with an `i64` result writes it to `env.scratch`[0] (low word
 * first) and returns nothing. WebAssembly helpers get exactly `params`.
 */
export interface Helper extends HelperSpec {
  /** Reads `env.budget` and takes off it, where `env.exact` is set. */
  readonly counts?: boolean;
  readonly impl:
    | { readonly kind: "js"; fn(cpu: never, ...i32s: number[]): number | void }
    | { readonly kind: "wasm"; readonly module: string; readonly export: string };
}

/** A WebAssembly module with helpers; it may import `env.memory`, the machine memory, and nothing else. */
export interface WasmModuleSpec {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** An instruction set, as the engine sees it. */
export interface Target {
  readonly name: string;
  readonly wordType: "i32" | "i64";
  readonly bigEndian: boolean;
  /** log2 of the smallest page, at least 12. */
  readonly pageBits: number;
  /** Number of TLBs per vCPU, 1..8. */
  readonly mmuIndexes: number;
  readonly globals: readonly EnvField[];
  /** Name of the global that holds the program counter. */
  readonly pcGlobal: string;
  readonly helpers: readonly Helper[];
  readonly modules: readonly WasmModuleSpec[];
  /**
   * Walks the page tables for a load or store that the TLB does not map, in WebAssembly: (env, i64 address, access, mmu index, log2 of the
   * size) -> {@link FILL}. It fills the entry as `ENV.tlb` has it, and adds it to the list of fills, which it finds not full. What it refuses,
   * and what this does not name, `TargetCpu.translate` does.
   */
  readonly fill?: { readonly module: string; readonly export: string };
  /** Words of each `insn` operation; `TargetCpu.restore` gets them back. */
  readonly insnWords: number;
  /** Programs access memory without regard to alignment: the fast path takes what lies within a page. */
  readonly unaligned?: boolean;
  /**
   * A store into translated code is seen by the next instruction, whatever block that is in. Else it is seen after the
   * fence that the instruction set asks for.
   */
  readonly seesOwnStores?: boolean;
  begin(ctx: TranslateContext): void;
  /**
   * Translates one instruction: emits `insn` and its operations.
   * @returns its length in bytes; 0 (and nothing emitted) when the instruction could not be fetched.
   */
  insn(ctx: TranslateContext): number;
  /** Called when the block ended without `ctx.done`: emits the jump to `ctx.pc + ctx.at`. */
  end(ctx: TranslateContext): void;
  disassemble(pc: bigint, bytes: Uint8Array): { text: string; length: number };
}

/** How samples of an instruction are made for {@link Stamps.learn}: two that differ in all operands. */
export interface SampleOf {
  /** Their offsets from the beginning of a page. */
  readonly at: readonly [number, number];
  /** Flags of their blocks. */
  readonly flags: readonly [number, number];
  /** The instruction may call helpers. */
  readonly calls?: boolean;
  /** Its addresses have 32 bits. */
  readonly narrow?: boolean;
  /** Translates one. @returns the values of its operands, number 0 excepted */
  emit(ctx: TranslateContext, sample: 0 | 1): Int32Array;
}

/** Instructions without IR: bytecode that is the same but for what follows from operands. */
export interface Stamps {
  /** What places of a stamp are filled with. Number 0 is not the target's. */
  readonly values: Int32Array;
  /** Adds the next instruction to the block; `words` as of `Builder.insn`. */
  put(ctx: TranslateContext, stamp: Stamp, words: readonly number[]): void;
  /** @returns undefined when the instruction's translation depends on more than the operands */
  learn(like: TranslateContext, sampleOf: SampleOf): Stamp | undefined;
}

/** The block under translation. Offsets are in bytes from the block's start. */
export interface TranslateContext {
  readonly ir: Builder;
  /** Virtual address of the block's start, and its halves, signed. */
  readonly pc: bigint;
  readonly pcLo: number;
  readonly pcHi: number;
  readonly flags: number;
  /** Offset of the current instruction. */
  readonly at: number;
  readonly first: boolean;
  /** `guard` may be used for the current instruction. */
  readonly guards: boolean;
  /** Other vCPUs run at the same time: what is one step for them is one of the host's, too. */
  readonly shared: boolean;
  /** The code is for the interpreter, which takes about as long for each operation, whatever it does: a helper costs less than five of them. */
  readonly interpreted: boolean;
  /** Present when instructions need no IR. */
  readonly stamps: Stamps | undefined;
  /** The translator sets it once it has emitted the end of the block. */
  done: boolean;
  /** Offset of the end of the first page: no instruction starts at or behind it. */
  readonly pageEnd: number;
  /** For constants such as the set of extensions only. */
  readonly cpu: TargetCpu;
  /** Guest code in the target's byte order, zero-extended; -1 when the page can't be fetched from. */
  u8(at: number): number;
  u16(at: number): number;
  u32(at: number): number;
}

/** Result of a page walk. */
export interface Translation {
  /** Physical address of the byte asked for. */
  physical: number;
  /** 1 read, 2 write, 4 execute; ORed. */
  prot: number;
  /** log2 of the size of the mapping; less than the target's `pageBits`: good for this access only. */
  pageBits: number;
  /** The mapping is the same in all address spaces; false before the walk. */
  global: boolean;
}

/** A vCPU of a target: the parts of its behaviour that are not translated code. */
export interface TargetCpu {
  /** Byte address of the state block. */
  readonly env: number;
  readonly index: number;
  /** Walks the page tables. @returns false when it raised an exception (`env.exception` is set). */
  translate(lo: number, hi: number, access: Access, mmu: number, size: number, out: Translation): boolean;
  /** An access reached unassigned memory. @returns true when it raised an exception. */
  busFault(lo: number, hi: number, physical: number, access: Access): boolean;
  /** A misaligned atomic access. @returns true when it raised; without this method it is carried out. */
  misaligned?(lo: number, hi: number, access: Access, size: number): boolean;
  /** Takes an enabled pending interrupt, if there is one. @returns true when the state changed. */
  interrupt(): boolean;
  /** Enters the handler of an exception; the state is precise. `env.exception` is already cleared. */
  deliver(exception: number): void;
  /** Makes the program counter (and what else the words hold) precise. `words` is reused by the caller. */
  restore(words: Int32Array, tbPcLo: number, tbPcHi: number): void;
  /** A halted vCPU has a reason to wake up. */
  hasWork(): boolean;
  reset(): void;
}

/** The registers behind a range. Offsets are aligned to the access; values are unsigned; `size` is 1, 2 or 4. */
export interface DevicePort {
  read(offset: number, size: number): number;
  write(offset: number, size: number, value: number): void;
  readWide(offset: number, out: Uint32Array): void;
  writeWide(offset: number, lo: number, hi: number): void;
}

/** A piece of the physical address space; `ramOffset` is where `base` lies in the machine memory, -1 for MMIO. */
export interface PhysicalRange {
  readonly base: number;
  readonly size: number;
  readonly ramOffset: number;
  readonly readonly: boolean;
  /** What answers all aligned accesses to the range, without a fault, when it is not memory. */
  readonly port?: DevicePort | undefined;
  /** Offset of `base` in the port. */
  readonly portOffset?: number;
}

/** The physical address space as the engine uses it. Values are unsigned; `size` is 1, 2 or 4. */
export interface PhysicalBus {
  lookup(address: number): PhysicalRange | undefined;
  read(address: number, size: number): number;
  write(address: number, size: number, value: number): void;
  readWide(address: number, out: Uint32Array): void;
  writeWide(address: number, lo: number, hi: number): void;
  /** The last access reached nothing, or was refused. */
  readonly lastFault: boolean;
  /** Starts or stops reporting writes by others than the engine to a 4 KiB page; `ramOffset` is its start. */
  watchCode(ramOffset: number, on: boolean): void;
  onCodeWrite(fn: (ramOffset: number, length: number) => void): void;
  onChange(fn: () => void): void;
}

/** Why {@link Vcpu.run} returned. */
export type ExitReason = "budget" | "halted" | "kick" | "debug";

/**
 * What generated code returns to the run loop: a descriptor's address plus 1 or 2 (that goto_tb wants its link made),
 * or one of these. The first five are the IR's `exit_tb` reasons, in the order of `TB_EXITS`.
 */
export const EXIT = {
  next: 0,
  exception: 1,
  halt: 2,
  yield: 3,
  debug: 4,
  /** The budget does not cover the next block. */
  budget: 5,
  /** `env.exception` is set; `exitTb` and `exitSite` say where. */
  fault: 6,
  /** The guest function that a region called has returned; pc says where to. */
  return: 8,
  /** A region could not do the instruction that `exitTb` and `exitSite` name, and did nothing of it. */
  uncommon: 9,
} as const;

/** The engine as a target sees it. `env` says which vCPU. */
export interface Engine {
  readonly memory: WasmMemory;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly bus: PhysicalBus;
  /** Other vCPUs run at the same time, on threads of their own. */
  readonly shared: boolean;
  /** Runs something that is one step for all others that come this way. */
  exclusive<T>(fn: () => T): T;
  /** Forgets the translations of the mmu indexes in `mask` (bit n = index n); `keepGlobal`: but for global ones. */
  flushTlb(env: number, mask: number, keepGlobal?: boolean): void;
  /** Forgets the translation of one page in all mmu indexes. */
  flushTlbPage(env: number, lo: number, hi: number): void;
  /** Throws all translated code away, as soon as no block runs. */
  flushCode(): void;
  /** Makes the vCPU look at interrupts and `halted` again before its next block. */
  kick(env: number): void;
  /** A guest load or store by a helper; false when it raised. The value is in `env.scratch`[0], low word first. */
  load(env: number, lo: number, hi: number, size: 1 | 2 | 4 | 8, mmu: number): boolean;
  store(env: number, lo: number, hi: number, size: 1 | 2 | 4 | 8, mmu: number): boolean;
}

/** What the engine needs of `WebAssembly.Memory`; core packages have no DOM library. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
}

/**
 * Which back end runs code: all by heat, the interpreter alone, blocks compiled from their first execution, or regions
 * from their first execution.
 */
export type BackEnd = "auto" | "interp" | "wasm" | "region";

/** How regions are made. */
export interface RegionOptions {
  /** Executions of a compiled block after which a region is built around it; default 50000. Infinity: no regions. */
  readonly threshold?: number;
  /** Guest instructions per region at most; default 800. */
  readonly maxInsns?: number;
  /** Bytes of WebAssembly, of blocks and regions together, above which all code is thrown away; default 64 MiB. */
  readonly codeCap?: number;
  /** Seed for tests: regions of random sizes, dropped at random. */
  readonly stress?: number;
}

/** Guest memory that regions access without a TLB, as user-mode emulation has it: address a lies at `base` + a. */
export interface DirectMemory {
  /** Place of guest address 0 in the machine memory; a multiple of 64 KiB, less than 2^31. */
  readonly base: number;
  /** Bytes of address space: addresses at or above it fault. */
  readonly size: number;
  /**
   * Machine addresses of two tables of one byte per 2 KiB unit u of the address space: `size` / 2^`windowShift` where every byte of
   * [2048u, 2048u + 4096) may be read, or may be written and holds no translated code; else 0. That is no fault by itself: it means
   * that a closer look is needed.
   */
  readonly readable: number;
  readonly writable: number;
  readonly windowShift: number;
}

/** Hooks for `-d`; each is called with text ready to print. */
export interface Trace {
  /** Guest code of a block as it is translated. */
  inAsm?(text: string): void;
  /** IR as the target emitted it. */
  op?(text: string): void;
  /** IR after optimisation. */
  opOpt?(text: string): void;
  /** WebAssembly text of what was compiled. */
  outWat?(text: string): void;
  /** Each block before it runs; blocks are not chained while this is set. */
  exec?(pcLo: number, pcHi: number, flags: number): void;
}

/** Settings of a {@link TcgMachine}. */
export interface TcgOptions {
  readonly backend?: BackEnd;
  readonly region?: RegionOptions;
  /** Executions after which a block is compiled to WebAssembly; default 2000. */
  readonly hotThreshold?: number;
  /** Blocks per WebAssembly module; default 128. */
  readonly batch?: number;
  /** Bytes for descriptors and bytecode, default 32 MiB; when they are used up, all code is thrown away. */
  readonly tbSize?: number;
  /** Instructions per block at most; default 64. */
  readonly maxInsns?: number;
  /** `run` executes exactly its budget, cutting the last block short. */
  readonly exact?: boolean;
  /** Guest stores are hashed into `env.storeHash` and counted in `env.storeCount`. */
  readonly traceStores?: boolean;
  readonly trace?: Trace;
  /** Optimise the IR of each block; default true. */
  readonly optimise?: boolean;
  /** Milliseconds from any origin, for compile-time statistics. */
  readonly now?: () => number;
  /** Called before each piece of translation or compilation, which may take milliseconds: a run loop may want to end its turn. */
  readonly onTranslation?: () => void;
}

/** What a {@link TcgMachine} is made of. */
export interface TcgConfig {
  readonly memory: WasmMemory;
  /** Reserves `size` bytes of the machine memory, 64 KiB aligned and zeroed; returns their offset. */
  readonly alloc: (name: string, size: number) => number;
  readonly target: Target;
  readonly physical: PhysicalBus;
  /** User-mode emulation's memory; absent where guest addresses go through page tables. */
  readonly direct?: DirectMemory;
  /** Where engines on other threads have translated code of the same memory, which is shared then. */
  readonly codePages?: CodePages;
  readonly options?: TcgOptions;
}

/** Counters since the machine was made. Times are in milliseconds, 0 without `options.now`. */
export interface TcgStats {
  blocks: number;
  guestInsns: number;
  guestBytes: number;
  irOps: number;
  arenaBytes: number;
  compiled: number;
  modules: number;
  wasmBytes: number;
  uncompilable: number;
  /** Regions compiled, blocks and guest instructions in them, and bytes of their modules. */
  regions: number;
  regionBlocks: number;
  regionInsns: number;
  regionBytes: number;
  /** Regions that were refused, dropped since their code changed, and times that the cap threw everything away. */
  regionsRefused: number;
  regionsDropped: number;
  evictions: number;
  /** Bytes of WebAssembly in use. */
  codeBytes: number;
  flushes: number;
  invalidations: number;
  tlbFills: number;
  tlbFlushes: number;
  tlbPageFlushes: number;
  slowLoads: number;
  slowStores: number;
  mmio: number;
  lookups: number;
  links: number;
  exits: {
    next: number;
    exception: number;
    halt: number;
    yield: number;
    debug: number;
    budget: number;
    fault: number;
    uncommon: number;
    link: number;
  };
  translateMs: number;
  compileMs: number;
  regionMs: number;
}
