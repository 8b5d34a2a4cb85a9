/** Makes a program smaller while two sides still disagree about it. */
import { FlowMachine, type FlowSide } from "./flow-machine.ts";
import { flowImage, type FlowCase } from "./flow-image.ts";
import { flowOracle } from "./flow-oracle.ts";
import { recordDifference } from "./flow.ts";
import type { FlowMode, FlowProgram } from "./flow-source.ts";

/** How two sides differ on one program; empty when they agree. Instead of the first, QEMU. */
export async function flowDifference(
  xlen: 32 | 64,
  mode: FlowMode,
  flow: FlowCase,
  sides: readonly [FlowSide | "qemu", FlowSide],
): Promise<string[]> {
  const image = flowImage(xlen, mode, [flow]);
  const run = async (side: FlowSide | "qemu"): Promise<{ error?: string; records?: Buffer; executed?: number }> => {
    if (side === "qemu") return { records: await flowOracle(xlen, mode, image) };
    const m = new FlowMachine(xlen, mode, image, side);
    try {
      return { records: m.finish(), executed: m.machine.vcpu.executed };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const [a, b] = [await run(sides[0]), await run(sides[1])];
  if (a.records === undefined || b.records === undefined)
    return a.error === b.error ? [] : [`${a.error ?? "ended"} / ${b.error ?? "ended"}`];
  const fields = recordDifference(a.records, b.records, 0);
  if (a.executed !== undefined && a.executed !== b.executed) fields.push(`instructions ${a.executed} / ${b.executed}`);
  return fields;
}

/** Leaves out operations and ends of blocks as long as `fails` holds. */
export async function reduceFlow(flow: FlowCase, fails: (flow: FlowCase) => Promise<boolean>): Promise<FlowCase> {
  let best = flow;
  const attempt = async (program: FlowProgram): Promise<boolean> => {
    const candidate = { ...best, program };
    let bad: boolean;
    try {
      bad = await fails(candidate);
    } catch {
      bad = false;
    }
    if (bad) best = candidate;
    return bad;
  };
  const total = (): number => best.program.blocks.reduce((n, b) => n + b.units.length, 0);
  /** The program without units `from` to `from + count`. */
  const without = (from: number, count: number): FlowProgram => {
    let n = 0;
    const blocks = best.program.blocks.map((b) => {
      const units = b.units.filter(() => {
        const at = n++;
        return at < from || at >= from + count;
      });
      return { ...b, units };
    });
    return { ...best.program, blocks };
  };
  for (let fuel = best.program.fuel; fuel > 1; fuel = fuel >> 1) await attempt({ ...best.program, fuel: fuel >> 1 });
  for (let pass = 0, before = -1; pass < 4 && total() !== before; pass++) {
    before = total();
    for (let size = Math.max(1, total() >> 1); ; size >>= 1) {
      for (let at = 0; at < total();) if (!(await attempt(without(at, size)))) at += size;
      if (size <= 1) break;
    }
  }
  return best;
}

/** A program as text, without what surrounds it. */
export function flowText({ program }: FlowCase): string {
  const lines = [`# fuel ${program.fuel}; table ${program.table.join(" ")}; functions ${program.functions.join(" ")}`];
  for (const b of program.blocks) {
    lines.push(`${b.label}:${b.checked ? "  # takes fuel" : ""}`);
    for (const unit of b.units) lines.push(...unit.map((line) => `  ${line}`));
  }
  return lines.join("\n");
}
