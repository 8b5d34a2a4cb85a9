/** Random control flow: QEMU, the interpreter and each other way to run blocks leave the same state. */
import { FlowMachine, type FlowSide } from "./flow-machine.ts";
import { flowCase, flowImage, FLOW_RECORD, type FlowCase } from "./flow-image.ts";
import { flowOracle } from "./flow-oracle.ts";
import { flowProgram, type FlowMode, type FlowOptions } from "./flow-source.ts";
import { Random } from "./random.ts";

/** Options of {@link runFlow}. */
export interface FlowRun extends FlowOptions {
  readonly programs: number;
  readonly seed: number;
  readonly sides: readonly FlowSide[];
  /** Compare the first side with QEMU; default true. */
  readonly oracle?: boolean;
  readonly batch?: number;
}

/** A program after which two disagree. */
export interface FlowDifference {
  readonly xlen: 32 | 64;
  readonly mode: FlowMode;
  readonly seed: number;
  readonly index: number;
  readonly sides: readonly [string, string];
  readonly fields: readonly string[];
  readonly flowCase: FlowCase;
}

/** Runs random programs on QEMU and all sides. @returns the differences */
export async function runFlow(o: FlowRun): Promise<{ differences: FlowDifference[]; executed: number }> {
  const random = new Random(o.seed * 8 + o.xlen + ["M", "S", "U", "user"].indexOf(o.mode));
  const differences: FlowDifference[] = [];
  let executed = 0;
  for (let done = 0; done < o.programs;) {
    const size = Math.min(o.batch ?? 100, o.programs - done);
    const cases = Array.from({ length: size }, () => flowCase(random, flowProgram(random, o)));
    const image = flowImage(o.xlen, o.mode, cases);
    let first: readonly [string, Buffer] | undefined =
      o.oracle === false ? undefined : ["qemu", await flowOracle(o.xlen, o.mode, image)];
    const counts: Set<number> = new Set();
    for (const side of o.sides) {
      const m = new FlowMachine(o.xlen, o.mode, image, side);
      let ours: Buffer;
      try {
        ours = m.finish();
      } catch (error) {
        const [fields, sides] = [[String(error)], [first?.[0] ?? "", side.name] as const];
        differences.push({ ...o, index: done, sides, fields, flowCase: cases[0]! });
        continue;
      }
      executed += m.machine.vcpu.executed;
      counts.add(m.machine.vcpu.executed);
      first ??= [side.name, ours];
      for (let i = 0; i < size; i++) {
        const fields = recordDifference(first[1], ours, i * FLOW_RECORD.size);
        if (fields.length === 0) continue;
        differences.push({ ...o, index: done + i, sides: [first[0], side.name], fields, flowCase: cases[i]! });
      }
    }
    // All ended after the same number of instructions.
    if (counts.size > 1 && differences.length === 0) {
      const fields = [`instructions: ${[...counts].join(", ")}`];
      differences.push({ ...o, index: done, sides: ["", ""], fields, flowCase: cases[0]! });
    }
    done += size;
  }
  return { differences, executed };
}

/** Fields of two records that differ. x0's place and the last temporary hold nothing. */
export function recordDifference(a: Buffer, b: Buffer, from: number): string[] {
  const out: string[] = [];
  for (let at = 8; at < FLOW_RECORD.size; at += 8) {
    if (at === 31 * 8) continue;
    const [x, y] = [a.readBigUInt64LE(from + at), b.readBigUInt64LE(from + at)];
    if (x !== y) out.push(`${fieldName(at)} ${x.toString(16)} / ${y.toString(16)}`);
  }
  return out;
}

function fieldName(at: number): string {
  if (at < FLOW_RECORD.f) return `x${at / 8}`;
  if (at < FLOW_RECORD.fcsr) return `f${(at - FLOW_RECORD.f) / 8}`;
  return { 512: "fcsr", 520: "traps", 528: "trap count", 536: "scratch" }[at] ?? `+${at}`;
}
