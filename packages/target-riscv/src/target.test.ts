/** The suite of instruction sets, for RV32 and RV64. */
import { testTarget, type TargetVector } from "@mimus/testkit";
import { assemble } from "./asm/index.ts";
import type { HartConfig } from "./config.ts";
import { Hart } from "./hart.ts";
import { isaParts } from "./isa.ts";
import { hartConfig, MODELS } from "./models.ts";
import { commonProps, extensionProps } from "./props.ts";
import { HartState } from "./snapshot.ts";
import { MSTATUS_FS, OFF, type Xlen } from "./state.ts";
import { createTarget } from "./target.ts";

const BASE = 0x8000_0000;

function config(xlen: Xlen): HartConfig {
  const model = MODELS.find((m) => m.name === `rv${xlen}`);
  if (!model) throw new Error(`no model rv${xlen}`);
  const props = { zba: true, zbb: true, zbc: true, zbs: true };
  return hartConfig(model, commonProps.extend(extensionProps.shape).parse(props), 0);
}

function vectors(xlen: Xlen): TargetVector[] {
  const minus = (n: number): bigint => BigInt.asUintN(xlen, BigInt(-n));
  const vector = (source: string, rest: Omit<TargetVector, "name" | "code">): TargetVector => {
    const { bytes } = assemble(source, { xlen, origin: BigInt(BASE) });
    return { name: source.replaceAll("\n", "; "), code: bytes, ...rest };
  };
  const trapped = (mcause: bigint): Record<string, bigint> => ({
    pc: BigInt(BASE + 0x8000),
    mcause,
    mstatus: 0x7800n,
  });
  return [
    vector("add a0, a1, a2", { before: { x11: 5n, x12: minus(7) }, after: { x10: minus(2) } }),
    vector("sra a0, a1, a2", {
      before: { x11: minus(9), x12: 33n },
      after: { x10: xlen === 64 ? minus(1) : minus(5) },
    }),
    vector("div a0, a1, zero", { before: { x11: 5n }, after: { x10: minus(1) } }),
    vector("c.addi a0, -3", { before: { x10: 1n }, after: { x10: minus(2), pc: BigInt(BASE + 2) } }),
    vector("beq a0, a1, . + 64", { after: { pc: BigInt(BASE + 64) } }),
    vector("jal ra, . + 16", { after: { x1: BigInt(BASE + 4), pc: BigInt(BASE + 16) } }),
    vector("sw a0, 4(a1)\nlb a2, 5(a1)", {
      steps: 2,
      before: { x10: 0x8182_8384n, x11: BigInt(BASE + 0x100) },
      after: { x12: minus(0x7d) },
      ramAfter: { 0x104: [0x84, 0x83, 0x82, 0x81] },
    }),
    vector("amoadd.w a0, a1, (a2)", {
      before: { x11: 2n, x12: BigInt(BASE + 0x100) },
      after: { x10: minus(1) },
      ramBefore: { 0x100: [0xff, 0xff, 0xff, 0xff] },
      ramAfter: { 0x100: [1, 0, 0, 0] },
    }),
    vector("ecall", { after: trapped(11n) }),
    vector(".word 0", { after: trapped(2n) }),
  ];
}

for (const xlen of [32, 64] as const)
  testTarget<Hart>({
    name: `riscv${xlen}`,
    target: () => createTarget(config(xlen)),
    cpu: (env, engine) => new Hart(engine, env, 0, config(xlen)),
    base: BASE,
    prepare(hart, handler) {
      hart.set(OFF.mtvec, handler | 0, 0);
      hart.setLo(OFF.mstatus, hart.lo(OFF.mstatus) | MSTATUS_FS);
      hart.stateReplaced();
    },
    vectors: vectors(xlen),
    entries: isaParts(xlen).flatMap((part) => part.entries),
    assemble: (text, pc) => assemble(text, { xlen, origin: pc }).bytes,
    // Rounding modes 5 and 6 have no name.
    reserved: (entry, operands) =>
      entry.fields.some(([name, field]) => field.kind.startsWith("rm") && [5, 6].includes(operands[name] ?? 0)),
    state: (hart) => new HartState(() => hart),
  });
