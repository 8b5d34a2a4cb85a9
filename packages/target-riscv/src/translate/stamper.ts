/** Instructions that are stamped: translated once for each shape of their operands, for their first executions. */
import type { Way } from "@mimus/decodetree";
import type { Stamp, Stamps } from "@mimus/tcg";
import type { HartConfig } from "../config.ts";
import { FLAGS } from "../state.ts";
import { Block } from "./block.ts";
import { sampleOf } from "./stamp-sample.ts";
import {
  extractOperands, fill, fillAddresses, jumpShape, operandFields, shapeOf, VALUE, VALUES,
  type OperandFields, type Operands,
} from "./stamp-shape.ts"; // prettier-ignore

/** What is known of an instruction. */
interface Plan {
  readonly way: Way<Block>;
  /** Undefined: it has operands of other kinds, and is not stamped. */
  readonly fields: OperandFields | undefined;
  /** By shape; null: it cannot be stamped. */
  readonly stamps: Map<number, Stamp | null>;
}

/** The mmu indexes of samples. */
const SAMPLE_FLAGS = [1 << FLAGS.mmuShift, 2 << FLAGS.mmuShift] as const;

/** The stamps of one kind of hart. */
export class Stamper {
  readonly #hart: HartConfig;
  readonly #plans: Map<Way<Block>, Plan> = new Map();
  readonly #operands: Operands = { rd: 0, rs1: 0, rs2: 0, imm: 0 };
  readonly #words: [number] = [0];

  constructor(hart: HartConfig) {
    this.#hart = hart;
  }

  /** Adds the instruction to the block if it can be stamped. @returns whether it was */
  put(b: Block, way: Way<Block>, stamps: Stamps): boolean {
    const plan = this.#planOf(way);
    const { fields } = plan;
    if (fields === undefined) return false;
    const { ctx, length } = b;
    const { values } = stamps;
    const operands = this.#operands;
    extractOperands(operands, fields, b.bits);
    fill(values, operands, b.mmu);
    let shape = shapeOf(operands);
    if (fields.usesPc) {
      const { pcLo, pcHi, at } = ctx;
      fillAddresses(values, { pcLo, pcHi, at, length });
      if (values[VALUE.targetHi] !== pcHi || values[VALUE.nextHi] !== pcHi) return false;
      shape |= jumpShape(operands, pcLo, values);
    }
    const stamp = plan.stamps.get(shape) ?? this.#learn(b, plan, fields, shape, stamps);
    if (stamp === null) return false;
    this.#words[0] = ctx.at;
    stamps.put(ctx, stamp, this.#words);
    return true;
  }

  #planOf(way: Way<Block>): Plan {
    let plan = this.#plans.get(way);
    if (plan === undefined) this.#plans.set(way, (plan = { way, fields: operandFields(way), stamps: new Map() }));
    return plan;
  }

  #learn(b: Block, { way, stamps: known }: Plan, fields: OperandFields, shape: number, stamps: Stamps): Stamp | null {
    if (known.get(shape) === null) return null;
    const { length } = b;
    const samples = [sampleOf(fields, shape, length, 0), sampleOf(fields, shape, length, 1)];
    const [first, second] = samples;
    let stamp: Stamp | undefined;
    if (first !== undefined && second !== undefined) {
      stamp = stamps.learn(b.ctx, {
        at: [first.at, second.at],
        flags: SAMPLE_FLAGS,
        emit: (ctx, n) => {
          const { operands } = samples[n]!;
          const block = new Block(ctx, this.#hart);
          block.length = length;
          ctx.ir.insn(ctx.at);
          way.run(block, { ...way.operands, ...operands });
          const values = new Int32Array(VALUES);
          fill(values, operands, block.mmu);
          if (fields.usesPc) fillAddresses(values, { pcLo: ctx.pcLo, pcHi: ctx.pcHi, at: ctx.at, length });
          return values;
        },
      });
    }
    known.set(shape, stamp ?? null);
    return stamp ?? null;
  }
}
