/** Builds the IR of one block from guest code. */
import type { Block } from "../ir/block.ts";
import { Builder } from "../ir/builder.ts";
import type { IrContext } from "../ir/context.ts";
import type { AtomicOp } from "../ir/builder.ts";
import { ops } from "../ir/ops.ts";
import { NONE } from "../ir/type.ts";
import type { MemOp, Value } from "../ir/type.ts";
import { ENV } from "./contract.ts";
import { highHalf, lowHalf } from "./halves.ts";
import type { Stamps, Target, TargetCpu, TranslateContext } from "./contract.ts";

/** Where the guest code of a block comes from. */
export interface CodeSource {
  /** Byte at an offset from the block's start; -1 when its page can't be fetched from. */
  byte(at: number): number;
  /** The bytes at offsets below `left` are in `bytes`, from `from` on. Absent: none. */
  readonly bytes?: Uint8Array;
  readonly from?: number;
  readonly left?: number;
}

/** A builder that adds, behind each guest store, its trace to `env.storeHash` and `env.storeCount`. */
class TracingBuilder extends Builder {
  override st(mem: MemOp, address: Value, v: Value, mmu: number): void {
    super.st(mem, address, v, mmu);
    this.#trace(address, v);
  }

  override atomic(op: AtomicOp, mem: MemOp, address: Value, v: Value, mmu: number): Value {
    const old = super.atomic(op, mem, address, v, mmu);
    this.#trace(address, v);
    this.#trace(address, old);
    return old;
  }

  override cmpxchg(mem: MemOp, address: Value, expected: Value, replacement: Value, mmu: number): Value {
    const old = super.cmpxchg(mem, address, expected, replacement, mmu);
    this.#trace(address, replacement);
    this.#trace(address, old);
    return old;
  }

  /** hash = rotl(hash, 7) ^ (address × odd + value); count += 1. */
  #trace(address: Value, value: Value): void {
    const wide = (v: Value): Value => (this.typeOf(v) === "i32" ? this.extuI32(v) : v);
    const type = this.typeOf(value);
    const half = (n: number): Value => this.vector(ops.i64x2_extract_lane, value, NONE, NONE, n);
    const bits =
      type === "v128"
        ? this.add(half(0), this.rotlI(half(1), 23))
        : wide(type === "f32" || type === "f64" ? this.bitcast(value) : value);
    const mixed = this.add(this.mul(wide(address), this.const64(0x9e3779b97f4a7c15n)), bits);
    const hash = this.xor(this.rotlI(this.envLd("i64", "u64", ENV.storeHash), 7), mixed);
    this.envSt("u64", ENV.storeHash, hash);
    this.envSt("u64", ENV.storeCount, this.addI(this.envLd("i64", "u64", ENV.storeCount), 1));
  }
}

/** The result of translating a block. */
export interface Translated {
  readonly block: Block;
  readonly insns: number;
  /** Bytes of guest code. */
  readonly length: number;
  /** Some load or store is big-endian. */
  readonly swaps: boolean;
}

/** What all blocks of a machine have in common. */
export interface TranslatorOptions {
  /** Instructions per block at most. */
  readonly maxInsns: number;
  readonly traceStores: boolean;
  /** Memory is shared with other vCPUs. */
  readonly shared: boolean;
  /** A block that is left has run to its end: it ends with the first instruction after which it may be left. */
  readonly exact: boolean;
}

/** Translates blocks; one per machine, as its context object is reused. */
export class BlockTranslator {
  readonly #target: Target;
  readonly #context: Context;
  readonly #maxInsns: number;
  readonly #exact: boolean;
  /** Of samples of instructions. */
  readonly #samples: Context;

  constructor(target: Target, ir: IrContext, { maxInsns, traceStores, shared, exact }: TranslatorOptions) {
    this.#target = target;
    this.#maxInsns = maxInsns;
    this.#exact = exact;
    this.#samples = new Context(new Builder(ir), target.bigEndian, shared);
    this.#context = new Context(traceStores ? new TracingBuilder(ir) : new Builder(ir), target.bigEndian, shared);
  }

  /**
   * Translates the block at `pc`. `limit`: most instructions, 0 for no limit of its own; `stop` tells where a block
   * must end before an instruction; `guards` which instructions, by number, may use guards; `passing`:
   * the result is not kept past the next such translation. With `stamps` the result is what they do not have yet.
   * @returns undefined when the first instruction could not be fetched
   */
  translate(
    cpu: TargetCpu, pc: bigint, flags: number, source: CodeSource, limit: number, stop: ((pc: bigint) => boolean) | undefined,
    guards?: (insn: number) => boolean, passing = false, stamps?: Stamps,
  ): Translated | undefined {
    const c = this.#context;
    const target = this.#target;
    const max = limit > 0 ? Math.min(limit, this.#maxInsns) : this.#maxInsns;
    c.start(cpu, pc, flags, source, passing, 1 << target.pageBits);
    c.interpreted = passing;
    c.stamps = stamps;
    target.begin(c);
    let insns = 0;
    while (!c.done) {
      c.first = insns === 0;
      c.guards = guards?.(insns) === true;
      const length = target.insn(c);
      if (length === 0) {
        if (insns === 0) return undefined;
        break;
      }
      insns++;
      c.at += length;
      if (insns >= max || c.at >= c.pageEnd || stop?.(pc + BigInt(c.at)) === true) break;
      if (this.#exact && c.ir.exits > 0) break;
    }
    if (!c.done) target.end(c);
    return { block: c.ir.finish(), insns, length: c.at, swaps: c.ir.swaps };
  } // prettier-ignore

  /** Begins the translation of an instruction that is not in memory, `at` bytes behind `pc`. */
  readonly beginSample = ({ cpu }: TranslateContext, pc: bigint, flags: number, at: number): TranslateContext => {
    this.#samples.start(cpu, pc, flags, NO_SOURCE, false, 1 << this.#target.pageBits);
    this.#samples.at = at;
    this.#samples.interpreted = true;
    return this.#samples;
  };
}

const NO_SOURCE: CodeSource = { byte: () => -1 };
const NO_BYTES: Uint8Array = new Uint8Array(0);

class Context implements TranslateContext {
  readonly ir: Builder;
  readonly shared: boolean;
  readonly #bigEndian: boolean;
  pc = 0n;
  pcLo = 0;
  pcHi = 0;
  flags = 0;
  at = 0;
  first = true;
  guards = false;
  done = false;
  interpreted = false;
  stamps: Stamps | undefined;
  pageEnd = 4096;
  cpu!: TargetCpu;
  #source!: CodeSource;
  #bytes: Uint8Array = NO_BYTES;
  #from = 0;
  #left = 0;

  constructor(ir: Builder, bigEndian: boolean, shared: boolean) {
    this.ir = ir;
    this.shared = shared;
    this.#bigEndian = bigEndian;
  }

  start(cpu: TargetCpu, pc: bigint, flags: number, source: CodeSource, passing: boolean, pageSize: number): void {
    this.cpu = cpu;
    this.pc = pc;
    this.pcLo = lowHalf(pc);
    this.pcHi = highHalf(pc);
    this.flags = flags;
    this.#source = source;
    this.#bytes = source.bytes ?? NO_BYTES;
    this.#from = source.from ?? 0;
    this.#left = source.left ?? 0;
    this.pageEnd = pageSize - (this.pcLo & (pageSize - 1));
    this.at = 0;
    this.first = true;
    this.done = false;
    this.ir.begin(pc, "tb", passing);
  }

  u8(at: number): number {
    return at < this.#left ? this.#bytes[this.#from + at]! : this.#source.byte(at);
  }

  u16(at: number): number {
    const a = this.u8(at);
    const b = a < 0 ? -1 : this.u8(at + 1);
    if (b < 0) return -1;
    return this.#bigEndian ? (a << 8) | b : a | (b << 8);
  }

  u32(at: number): number {
    const a = this.u16(at);
    const b = a < 0 ? -1 : this.u16(at + 2);
    if (b < 0) return -1;
    return (this.#bigEndian ? (a << 16) | b : a | (b << 16)) >>> 0;
  }
}
