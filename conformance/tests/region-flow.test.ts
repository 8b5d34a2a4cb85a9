/** Random control flow on every back end against QEMU; the whole of it is `conformance/isa/flow-run.ts`. */
import { describe, expect, it } from "vitest";
import { runFlow } from "../isa/flow.ts";
import { FlowMachine } from "../isa/flow-machine.ts";
import { flowCase, flowImage } from "../isa/flow-image.ts";
import { flowSide, INTERP } from "../isa/flow-sides.ts";
import { flowProgram } from "../isa/flow-source.ts";
import { flowDifference, flowText, reduceFlow } from "../isa/flow-reduce.ts";
import { Random } from "../isa/random.ts";
import { oracle } from "../lib/mimus.ts";

const PROGRAMS = Number(process.env["MIMUS_FLOW_PROGRAMS"] ?? 40);
const SEED = Number(process.env["MIMUS_FLOW_SEED"] ?? 2026);
const SIDES = ["interp", "wasm", "region", "stress", "mixed"];

describe.each([64, 32] as const)("RV%i random control flow", (xlen) => {
  it.each(["M", "S", "U", "user"] as const)(
    "in mode %s ends in the same state on all back ends, and under QEMU",
    { timeout: 60_000 + PROGRAMS * 1000 },
    async (mode) => {
      const qemu = mode === "user" ? `qemu-riscv${xlen}-static` : `qemu-system-riscv${xlen}`;
      const sides = SIDES.map((name) => flowSide(name, SEED));
      const options = { xlen, mode, programs: PROGRAMS, seed: SEED, sides, oracle: oracle(qemu) };
      const { differences, executed } = await runFlow(options);
      for (const d of differences.slice(0, 3))
        expect
          .soft(d.fields, `${d.sides.join(" / ")}, seed ${SEED}, program ${d.index}\n${flowText(d.flowCase)}`)
          .toEqual([]);
      expect(differences).toHaveLength(0);
      expect(executed).toBeGreaterThan(PROGRAMS * 1000);
    },
  );
});

it("a wrong result is seen, and reduced to the operation that makes it", { timeout: 60_000 }, async () => {
  const random = new Random(3);
  const flow = flowCase(random, flowProgram(random, { xlen: 64, mode: "M", blocks: 12 }));
  const image = flowImage(64, "M", [flow]);
  const good = new FlowMachine(64, "M", image, INTERP).finish();
  expect(good.length).toBeGreaterThan(0);
  expect(await flowDifference(64, "M", flow, [INTERP, flowSide("wasm", 0)])).toEqual([]);
  // Stands in for a fault of a back end: programs with a multiplication are wrong.
  const wrong = { ...flow, program: { ...flow.program, blocks: [...flow.program.blocks] } };
  wrong.program.blocks[3] = {
    ...wrong.program.blocks[3]!,
    units: [["mul x6, x7, x8"], ...wrong.program.blocks[3]!.units],
  };
  const small = await reduceFlow(wrong, async (f) => flowText(f).includes("mul x6"));
  expect(small.program.blocks.flatMap((b) => b.units)).toEqual([["mul x6, x7, x8"]]);
});
