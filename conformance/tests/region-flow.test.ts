/** Random control flow on every back end against QEMU; the whole of it is `conformance/isa/flow-run.ts`. */
import { describe, expect, it } from "vitest";
import { Lockstep } from "@mimus/tcg";
import { recordDifference, runFlow } from "../isa/flow.ts";
import { runFlowProcesses } from "../isa/flow-process.ts";
import { flowLockstep } from "../isa/flow-lockstep.ts";
import { FlowMachine } from "../isa/flow-machine.ts";
import { FLOW_RECORD, flowCase, flowImage } from "../isa/flow-image.ts";
import { flowSide, INTERP } from "../isa/flow-sides.ts";
import { flowProgram } from "../isa/flow-source.ts";
import { flowDifference, flowText, reduceFlow } from "../isa/flow-reduce.ts";
import { Random } from "../isa/random.ts";
import { oracle } from "../lib/mimus.ts";

const PROGRAMS = Number(process.env["MIMUS_FLOW_PROGRAMS"] ?? 16);
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

const STEPS = ["wasm", "region", "stress", "mixed"];
/** Programs a mode that run in steps. */
const STEPPED = Math.ceil(PROGRAMS / 8);

describe.each([64, 32] as const)("RV%i random control flow in pieces", (xlen) => {
  it.each(["M", "S", "U"] as const)(
    "in mode %s: the same state after random numbers of instructions, with interrupts in between",
    { timeout: 60_000 + PROGRAMS * 1000 },
    (mode) => {
      const random = new Random(SEED * 4 + xlen);
      const cases = Array.from({ length: STEPPED }, () => flowCase(random, flowProgram(random, { xlen, mode })));
      const image = flowImage(xlen, mode, cases);
      for (const [i, name] of STEPS.entries()) {
        const settings = { seed: SEED + i, longest: [40, 400, 5000][i % 3]!, interrupts: 7, stores: i % 2 === 0 };
        const { difference, steps } = flowLockstep(xlen, mode, image, flowSide(name, SEED), settings);
        expect.soft(difference, name).toBeUndefined();
        expect(steps).toBeGreaterThan(10);
      }
    },
  );

  it.each(["M", "S", "U"] as const)(
    "in mode %s: budgets that are not exact, and interrupts wherever they end, change no result",
    { timeout: 60_000 + PROGRAMS * 1000 },
    (mode) => {
      const random = new Random(SEED * 8 + xlen);
      const cases = Array.from({ length: STEPPED }, () => flowCase(random, flowProgram(random, { xlen, mode })));
      const image = flowImage(xlen, mode, cases);
      const expected = new FlowMachine(xlen, mode, image, INTERP).finish();
      for (const name of STEPS) {
        const ours = new FlowMachine(xlen, mode, image, flowSide(name, SEED)).finishInPieces(random, 300);
        expect
          .soft(
            cases.flatMap((_, i) => recordDifference(expected, ours, i * FLOW_RECORD.size)),
            name,
          )
          .toEqual([]);
      }
    },
  );
});

describe.skipIf(!oracle("qemu-riscv64-static"))("random control flow in Linux programs", () => {
  it.each(["user", "signals"] as const)(
    "mode %s: as under qemu-user, on all back ends",
    { timeout: 60_000 + PROGRAMS * 2000 },
    async (mode) => {
      const accels = ["tcg,backend=region", `tcg,backend=region,stress=${SEED}`, "tcg,threshold=5"];
      const { differences, signals } = await runFlowProcesses({ mode, programs: PROGRAMS * 2, seed: SEED, accels });
      expect(differences).toEqual([]);
      if (mode === "signals") expect(signals).toBeGreaterThan(PROGRAMS);
    },
  );
});

it("a difference in the middle is found at its step", () => {
  const random = new Random(11);
  const flow = flowCase(random, flowProgram(random, { xlen: 64, mode: "M", fuel: 50 }));
  const image = flowImage(64, "M", [flow]);
  const side = flowSide("wasm", 0);
  const settings = { seed: 1, longest: 100, interrupts: 0, stores: true };
  expect(flowLockstep(64, "M", image, side, settings).difference).toBeUndefined();
  const machine = new FlowMachine(64, "M", image, side);
  const other = new FlowMachine(64, "M", image, INTERP);
  const pair = [other, machine].map((m, i) => ({ name: `${i}`, machine: m.machine.engine, vcpu: m.machine.vcpu }));
  const lockstep = new Lockstep(pair[0]!, pair[1]!);
  machine.machine.hart.set(128 + 8 * 22, 5, 0);
  expect(lockstep.advance(10)?.fields.map((f) => f.name)).toEqual(["x22"]);
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
