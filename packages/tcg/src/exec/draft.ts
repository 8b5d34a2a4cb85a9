/** The bytecode of one block as it comes about: from IR, and from stamps. */
import type { Block } from "../ir/block.ts";
import type { IrContext } from "../ir/context.ts";
import { BytecodeWriter } from "../interp/bytecode.ts";
import type { Handlers } from "../interp/handlers.ts";
import { swapBytes } from "../opt/byte-order.ts";
import { mayBeStamped, stampOf } from "../interp/stamp.ts";
import type { Sample, Stamp } from "../interp/stamp.ts";
import { exitsOf } from "../region/exits.ts";
import type { BlockExit } from "../region/exits.ts";
import { ENV } from "./contract.ts";
import type { SampleOf, Stamps, Target, TranslateContext } from "./contract.ts";

/** Where samples are translated; their parts of 16 bits differ. */
const SAMPLE_PCS = [0x1234_5678_9abc_d000n, 0x6789_2345_d678_3000n] as const;

/** Begins a translation of no guest code, at a place. */
export type BeginSample = (like: TranslateContext, pc: bigint, flags: number, at: number) => TranslateContext;

/** What a block's bytecode is made of; one object serves all blocks of a machine. */
export class Draft implements Stamps {
  readonly values: Int32Array = new Int32Array(16);
  /** Where the block's ends lead. */
  exits: BlockExit[] = [];
  /** Operations of IR in it. */
  irOps = 0;
  readonly writer: BytecodeWriter;
  /** Of samples. */
  readonly #sampleWriter: BytecodeWriter;
  readonly #pcGlobal: number;
  readonly #flagsGlobal: number;
  readonly #beginSample: BeginSample;
  /** Regions do not see where the block leads. */
  #unseen = false;

  constructor(handlers: Handlers, target: Target, ir: IrContext, beginSample: BeginSample) {
    const { globals, insnWords } = target;
    this.#pcGlobal = ir.global(target.pcGlobal);
    this.#flagsGlobal = globals.findIndex(({ offset }) => offset === ENV.tbFlags);
    this.writer = new BytecodeWriter(handlers, globals, this.#pcGlobal, insnWords);
    this.#sampleWriter = new BytecodeWriter(handlers, globals, this.#pcGlobal, insnWords);
    this.#beginSample = beginSample;
  }

  /** Begins a block. */
  begin(): void {
    this.writer.length = 0;
    this.exits = [];
    this.#unseen = false;
    this.irOps = 0;
  }

  /** Adds a block, or a part of one. @throws BytecodeOverflow */
  append(block: Block): void {
    if (block.ops.length === 0) return;
    this.writer.append(block);
    this.irOps += block.ops.length;
    if (this.#unseen) return;
    const exits = exitsOf(block, this.#pcGlobal, this.#flagsGlobal);
    this.#unseen = exits === undefined;
    if (exits === undefined || this.exits.length === 0) this.exits = exits ?? [];
    else this.exits.push(...exits);
  }

  put(ctx: TranslateContext, stamp: Stamp, words: readonly number[]): void {
    const { ir } = ctx;
    if (ir.block.ops.length > 0) {
      const part = ir.finish();
      if (ir.swaps) swapBytes(part);
      this.append(part);
      ir.nextPart();
    }
    const insn = ir.passInsn();
    this.values[0] = insn;
    this.writer.note(insn, words);
    this.writer.stamp(stamp, this.values);
    if (!stamp.ends) return;
    ctx.done = true;
    if (this.#unseen) return;
    const { exits } = stamp;
    for (let i = 0; i < exits.length; i++) {
      const { kind, target } = exits[i]!;
      this.exits.push({ at: 0, kind, target: target < 0 ? 0 : this.values[target]! });
    }
  }

  learn(like: TranslateContext, sampleOf: SampleOf): Stamp | undefined {
    const [a, b] = [this.#sample(like, sampleOf, 0), this.#sample(like, sampleOf, 1)];
    return a && b && stampOf(a, b);
  }

  /** Translates a sample, whose instruction has number `n` in its block. */
  #sample(like: TranslateContext, { at, flags, calls, narrow, emit }: SampleOf, n: 0 | 1): Sample | undefined {
    const pc = narrow === true ? SAMPLE_PCS[n] & 0xffff_ffffn : SAMPLE_PCS[n];
    const ctx = this.#beginSample(like, pc, flags[n], at[n]);
    if (n === 1) ctx.ir.passInsn();
    const values = emit(ctx, n);
    values[0] = n;
    const block = ctx.ir.finish();
    const exits = exitsOf(block, this.#pcGlobal, this.#flagsGlobal);
    if (exits === undefined || !mayBeStamped(block, calls === true)) return undefined;
    const writer = this.#sampleWriter;
    writer.write(block);
    return { units: writer.code.slice(0, writer.length), values, exits, ends: ctx.done };
  }
}
