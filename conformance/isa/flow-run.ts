/**
 * Random control flow against QEMU.
 * node --conditions=@mimus/source conformance/isa/flow-run.ts [--programs N] [--seed N] [--xlen 32|64|both] [--mode M|S|U|user|all]
 *   [--sides interp,wasm,auto,region,stress,mixed] [--no-oracle] [--blocks N] [--fuel N]
 */
import { commandLine } from "../lib/command-line.ts";
import { runFlow } from "./flow.ts";
import { flowDifference, flowText, reduceFlow } from "./flow-reduce.ts";
import { flowSide, INTERP } from "./flow-sides.ts";
import type { FlowMode } from "./flow-source.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: {
    programs: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    xlen: { type: "string", default: "both" },
    mode: { type: "string", default: "all" },
    sides: { type: "string", default: "interp,wasm,auto,region,stress,mixed" },
    oracle: { type: "boolean", default: true },
    blocks: { type: "string", default: "30" },
    fuel: { type: "string", default: "300" },
  },
  allowNegative: true,
});

const modes: readonly FlowMode[] = o.mode === "all" ? ["M", "S", "U", "user"] : [o.mode as FlowMode];
const widths = o.xlen === "both" ? ([64, 32] as const) : ([o.xlen === "32" ? 32 : 64] as const);
const seed = Number(o.seed);
const programs = Math.ceil(Number(o.programs) / widths.length / modes.length);
let shown = 0;
let total = 0;
const started = Date.now();
for (const xlen of widths)
  for (const mode of modes) {
    const options = { xlen, mode, blocks: Number(o.blocks), fuel: Number(o.fuel) };
    const sides = o.sides.split(",").map((name) => flowSide(name, seed));
    const { differences, executed } = await runFlow({ ...options, programs, seed, sides, oracle: o.oracle });
    console.log(
      `RV${xlen} ${mode.padEnd(4)} ${programs} programs, ${(executed / 1e6).toFixed(1)} M instructions, ${differences.length} differences`,
    );
    total += differences.length;
    for (const d of differences) {
      if (++shown > 3) break;
      console.log(`DIFFERENCE seed ${seed} program ${d.index}: ${d.sides.join(" / ")}\n  ${d.fields.join("\n  ")}`);
      const other = sides.find((s) => s.name === d.sides[1]);
      if (other === undefined) continue;
      const pair = [d.sides[0] === "qemu" && other.name === "interp" ? "qemu" : INTERP, other] as const;
      const fails = async (flow: typeof d.flowCase): Promise<boolean> =>
        (await flowDifference(xlen, mode, flow, pair)).length > 0;
      if (!(await fails(d.flowCase))) {
        console.log("  (not by itself)");
        continue;
      }
      const small = await reduceFlow(d.flowCase, fails);
      console.log(flowText(small));
      console.log(`  ${(await flowDifference(xlen, mode, small, pair)).join("\n  ")}`);
    }
  }
console.log(
  `${programs * widths.length * modes.length} programs, ${total} differences, ${Math.round((Date.now() - started) / 1000)} s`,
);
process.exitCode = total > 0 ? 1 : 0;
