/** TestFloat's cases as RISC-V instructions, run by a translated hart. */
import { assemble } from "@mimus/target-riscv";
import type { BackEnd } from "@mimus/tcg";
import { BareMachine } from "../isa/machine.ts";
import type { FloatCase, FloatGroup } from "./testfloat.ts";

const BASE = 0x8000_0000;
const DATA = BASE + 0x10000;
const SIZE = 0x40000;
/** Bytes of a case in memory: three operands, result, flags. */
const STRIDE = 40;

/** How one function is done. */
export interface Instruction {
  readonly name: string;
  /** Assembly; operands are in fa0…fa2 or a3, the result goes to fa3 or a4. */
  readonly source: string;
  readonly from: Kind;
  readonly to: Kind;
  /** Operands whose sign is inverted first. */
  readonly negated: readonly number[];
}

type Kind = "s" | "d" | "w" | "x";

const FORMATS: Readonly<Record<string, Kind>> = { f32: "s", f64: "d", i32: "w", ui32: "w", i64: "x", ui64: "x" };
const SUFFIX: Readonly<Record<string, string>> = {
  f32: "s", f64: "d", i32: "w", ui32: "wu", i64: "l", ui64: "lu",
}; // prettier-ignore

/** The instructions that compute a function of TestFloat; none if RISC-V's F and D do not have it. */
export function instructionsFor(fn: string, mode: string): Instruction[] {
  const convert = /^(\w+)_to_(\w+)$/.exec(fn);
  const one = (name: string, operands: string, from: Kind, to: Kind, negated: number[] = []): Instruction => ({
    name,
    source: `${name} ${operands}`,
    from,
    to,
    negated,
  });
  if (convert !== null) {
    const [from, to] = [FORMATS[convert[1]!], FORMATS[convert[2]!]];
    if (from === undefined || to === undefined) return [];
    const result = to === "s" || to === "d" ? "fa3" : "a4";
    const operand = from === "s" || from === "d" ? "fa0" : "a3";
    const name = `fcvt.${SUFFIX[convert[2]!]}.${SUFFIX[convert[1]!]}`;
    return [one(name, `${result}, ${operand}, ${mode}`, from, to)];
  }
  const [format, op] = [fn.slice(0, 3), fn.slice(4)];
  const kind = FORMATS[format];
  if (kind === undefined) return [];
  const quiet: Readonly<Record<string, string>> = { eq: "feq", lt: "flt", le: "fle" };
  if (quiet[op] !== undefined) return [one(`${quiet[op]}.${kind}`, "a4, fa0, fa1", kind, "x")];
  if (op === "sqrt") return [one(`fsqrt.${kind}`, `fa3, fa0, ${mode}`, kind, kind)];
  if (/^(add|sub|mul|div)$/.test(op)) return [one(`f${op}.${kind}`, `fa3, fa0, fa1, ${mode}`, kind, kind)];
  if (op !== "mulAdd") return [];
  const fused = `fa3, fa0, fa1, fa2, ${mode}`;
  return [
    one(`fmadd.${kind}`, fused, kind, kind),
    one(`fmsub.${kind}`, fused, kind, kind, [2]),
    one(`fnmsub.${kind}`, fused, kind, kind, [0]),
    one(`fnmadd.${kind}`, fused, kind, kind, [0, 2]),
  ];
}

/** A loop over the cases: flags before are in a2, cases at a0, their number in a1. */
function program({ source, from, to }: Instruction, before: number): string {
  const load = from === "s" ? "flw" : from === "d" ? "fld" : "ld";
  const operands = load === "ld" ? "ld a3, 0(a0)" : [0, 1, 2].map((n) => `${load} fa${n}, ${8 * n}(a0)`).join("\n");
  const store = to === "s" || to === "d" ? "fsd fa3, 24(a0)" : "sd a4, 24(a0)";
  return `
    li a0, ${DATA}
    ld a1, 0(a0)
    addi a0, a0, 8
    li a2, ${before}
  1:
    fsflags a2
    ${operands}
    ${source}
    ${store}
    frflags a5
    sd a5, 32(a0)
    addi a0, a0, ${STRIDE}
    addi a1, a1, -1
    bnez a1, 1b
    wfi
  `;
}

/** Runs groups of cases on one back end. */
export class FloatGuest {
  readonly #machine: BareMachine;

  constructor(backend: BackEnd) {
    this.#machine = new BareMachine({ xlen: 64, backend, base: BASE, size: SIZE });
  }

  /** Lines that say what differs; flags that were set before stay set. */
  run(group: FloatGroup, instruction: Instruction, before: number): string[] {
    const { ram, vcpu } = this.#machine;
    const { bytes } = assemble(program(instruction, before), { xlen: 64, origin: BigInt(BASE) });
    this.#machine.load(bytes);
    const view = new DataView(ram.buffer, ram.byteOffset + DATA - BASE, SIZE - (DATA - BASE));
    view.setBigUint64(0, BigInt(group.cases.length), true);
    const sign = instruction.from === "s" ? 1n << 31n : 1n << 63n;
    group.cases.forEach(({ operands }, i) =>
      operands.forEach((bits, n) => {
        const negated = instruction.negated.includes(n) ? bits ^ sign : bits;
        view.setBigUint64(8 + STRIDE * i + 8 * n, negated, true);
      }),
    );
    this.#machine.start(BASE, BASE);
    for (let i = 0; i < 1000 && vcpu.run(100_000) !== "halted"; i++);
    return group.cases.flatMap((test, i) => {
      const got = view.getBigUint64(8 + STRIDE * i + 24, true);
      const flags = Number(view.getBigUint64(8 + STRIDE * i + 32, true));
      return got === expected(test, instruction) && flags === (test.flags | before)
        ? []
        : [describe(group, i, instruction, got, flags, before)];
    });
  }
}

/** The register's contents: singles are boxed, words sign-extended. */
function expected({ result }: FloatCase, { to }: Instruction): bigint {
  if (to === "s") return result | 0xffffffff_00000000n;
  return to === "w" ? BigInt.asUintN(64, BigInt.asIntN(32, result)) : result;
}

function describe(
  group: FloatGroup, i: number, { name }: Instruction, got: bigint, flags: number, before: number,
): string {
  const { operands, result, flags: wanted } = group.cases[i]!;
  const hex = (n: bigint): string => n.toString(16);
  return `line ${group.lines[i]}: ${name} ${group.mode} ${operands.map(hex).join(" ")}, flags ${before}: ${hex(got)} flags ${flags}, wanted ${hex(result)} flags ${wanted | before}`;
} // prettier-ignore
