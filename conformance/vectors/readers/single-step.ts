// SingleStepTests: MIPS R3000 (all registers before and after, bus accesses) and 80286 in real mode (what changed).

import type { Reader, StepCase } from "../case.ts";
import { eachLine, parseObject, regions } from "./text.ts";

interface R3000State {
  readonly R: readonly number[];
  readonly branch_delay: { readonly target: number; readonly slot: boolean; readonly take: boolean };
  readonly load_delay: { readonly reg: number; readonly val: number };
  readonly [register: string]: unknown;
}

interface R3000Line {
  readonly name: string;
  readonly opcode: number;
  readonly addr: number;
  readonly initial: R3000State;
  readonly final: R3000State;
  /** Kind (1 load, 2 store, 4 fetch), address, bytes, value. */
  readonly bus: readonly (readonly [number, number, number, number])[];
}

const R3000_SPECIAL = ["hi", "lo", "EPC", "TAR", "CAUSE", "PC"] as const;

function r3000Registers(state: R3000State): Map<string, bigint> {
  const out = new Map<string, bigint>(state.R.map((value, n) => [`r${n}`, BigInt(value)]));
  for (const name of R3000_SPECIAL) out.set(name.toLowerCase(), BigInt(state[name] as number));
  const { slot, take, target } = state.branch_delay;
  out.set("branch_slot", slot ? 1n : 0n);
  out.set("branch_take", take ? 1n : 0n);
  out.set("branch_target", BigInt(target));
  return out;
}

function bytesOf(address: number, size: number, value: number): [number, number][] {
  return Array.from({ length: size }, (_, i) => [address + i, (value >>> (8 * i)) & 255]);
}

function r3000Case(content: string, line: number): StepCase {
  const test = parseObject<R3000Line>(content, line);
  const registers = r3000Registers(test.initial);
  const final = r3000Registers(test.final);
  const of = (kind: number): [number, number][] =>
    test.bus
      .filter((access) => access[0] === kind)
      .flatMap(([, address, size, value]) => bytesOf(address, size, value));
  // A load that is under way before lands after this instruction; one that starts here lands after the next. A machine
  // without load delays has the former before, and the latter at once.
  const alternatives = new Map<string, bigint>();
  const before = test.initial.load_delay;
  const after = test.final.load_delay;
  if (before.reg > 0 && final.get(`r${before.reg}`) === BigInt(before.val)) {
    alternatives.set(`r${before.reg}`, registers.get(`r${before.reg}`) ?? 0n);
  }
  if (after.reg > 0) alternatives.set(`r${after.reg}`, BigInt(after.val));
  return {
    kind: "step",
    line,
    class: test.name.split(" ")[0] ?? "",
    text: test.name,
    registers,
    memory: regions([...of(1), ...of(4)]),
    expected: {
      registers: new Map([...final].filter(([name, value]) => registers.get(name) !== value)),
      memory: regions(of(2)),
    },
    ignored: new Map(),
    alternatives,
  };
}

export const r3000: Reader = {
  name: "SingleStepTests r3000",
  sniff: (head) => head.startsWith('{"name":') && head.includes('"load_delay":'),
  read: (text) => ({
    format: r3000.name,
    target: "r3000",
    options: {},
    cases: { [Symbol.iterator]: () => eachLine(text, 1, r3000Case) },
  }),
};

interface I286State {
  readonly regs: Readonly<Record<string, number>>;
  readonly ram: readonly (readonly [number, number])[];
}

interface I286Line {
  readonly name: string;
  readonly op: string;
  readonly initial: I286State;
  readonly final: I286State;
  readonly exception?: { readonly number: number; readonly flag_address: number };
  readonly mask?: number;
}

/** Bits 12-15 of the flags differ between steppings; `mask`, where there is one, keeps the defined ones. */
const HIGH_FLAGS = 0xf000n;

const [CF, PF, AF, ZF, SF, OF] = [1, 4, 16, 64, 128, 2048] as const;
const COUNTED = /^(C0|C1|D2|D3)\./;

/** Flags that an instruction leaves undefined. Source: Intel 80286 Programmer's Reference Manual (1987), appendix B. */
function undefined286(op: string): number {
  const [opcode = "", group] = op.split(".");
  if (/^(C0|C1|D[0-3])$/.test(opcode)) {
    // Rotations define AF by leaving it alone; with other counts than 1 OF is undefined, with counts above the size CF
    const counted = COUNTED.test(op) ? OF | (Number(group) >= 4 ? CF : 0) : 0;
    return counted | (Number(group) >= 4 ? AF : 0);
  }
  if (/^F[67]$/.test(opcode)) return [AF, AF, 0, 0, SF | ZF | AF | PF, SF | ZF | AF | PF, ALL, ALL][Number(group)] ?? 0;
  if (/^8[0-3]$/.test(opcode)) return group === "1" || group === "4" || group === "6" ? AF : 0;
  if (/^(0[89A-D]|2[0-5]|3[0-5]|84|85|A8|A9)$/.test(opcode)) return AF;
  if (opcode === "69" || opcode === "6B") return SF | ZF | AF | PF;
  if (opcode === "27" || opcode === "2F") return OF;
  if (opcode === "37" || opcode === "3F") return OF | SF | ZF | PF;
  return opcode === "D4" || opcode === "D5" ? OF | AF | CF : 0;
}
const ALL = CF | PF | AF | ZF | SF | OF;

function i286Case(content: string, line: number): StepCase {
  const test = parseObject<I286Line>(content, line);
  const registers = new Map(Object.entries(test.initial.regs).map(([name, value]) => [name, BigInt(value)]));
  const undefinedFlags = BigInt(test.mask === undefined ? undefined286(test.op) : ~test.mask & 0xffff);
  return {
    kind: "step",
    line,
    class: test.op,
    text: test.name,
    registers,
    memory: regions(test.initial.ram),
    untilHalt: true,
    expected: {
      registers: new Map(Object.entries(test.final.regs).map(([name, value]) => [name, BigInt(value)])),
      // The flags that an exception pushes have undefined bits too: not compared.
      memory: regions(
        test.final.ram.filter(([at]) => !test.exception || (at & ~1) !== (test.exception.flag_address & ~1)),
      ),
    },
    ignored: new Map([["flags", HIGH_FLAGS | undefinedFlags]]),
  };
}

export const i286: Reader = {
  name: "SingleStepTests 80286",
  sniff: (head) => head.startsWith('{"name":') && head.includes('"regs":') && head.includes('"bytes":'),
  read: (text) => ({
    format: i286.name,
    target: "i286",
    options: {},
    cases: { [Symbol.iterator]: () => eachLine(text, 1, i286Case) },
  }),
};
