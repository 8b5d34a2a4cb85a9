/** Flags that are computed when they are wanted, against flags that are computed after each instruction. */
import { describe, expect, it } from "vitest";
import type { BackEnd } from "@mimus/tcg";
import { FLAG, OFF } from "../src/state.ts";
import { RunningCpu } from "./running-cpu.ts";

const hex = (bytes: ArrayLike<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const ARITHMETIC = FLAG.cf | FLAG.pf | FLAG.af | FLAG.zf | FLAG.sf | FLAG.of;
const CODE = 0x1000;
const DATA = 0x18000;
const ZEROS = new Uint8Array(65536);
/** RSP and RBX stay: RBX points to data. */
const REGISTERS = [0, 1, 2, 5, 6, 7] as const;

/** xorshift32. */
function random(seed: number): (n: number) => number {
  let s = seed | 1;
  return (n) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % n;
  };
}

/** One instruction without branches; `wide`: 64-bit code. */
function instruction(pick: (n: number) => number, wide: boolean): number[] {
  const r = (): number => REGISTERS[pick(REGISTERS.length)]!;
  const prefix: number[] = [];
  if (pick(4) === 0) prefix.push(0x66);
  else if (wide && pick(3) === 0) prefix.push(0x48);
  const byte = pick(4) === 0 ? 0 : 1;
  const modrm = (reg: number): number => (pick(4) === 0 ? (reg << 3) | 3 : 0xc0 | (reg << 3) | r());
  switch (pick(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return [...prefix, pick(8) * 8 + 2 * pick(2) + byte, modrm(r())];
    case 4:
    case 5:
      return [...prefix, 0xfe + byte, modrm(pick(2))];
    case 6:
      return [...prefix, 0xc0 + byte, modrm(pick(8)), pick(70)];
    case 7:
      return [...prefix, 0xd2 + byte, modrm(pick(8))];
    case 8:
      return [...prefix, 0xd0 + byte, modrm(pick(8))];
    case 9:
      return [...prefix, 0x0f, 0xba, modrm(4 + pick(4)), pick(64)];
    case 10:
      return [[0xf5, 0xf8, 0xf9, 0x9f, 0x9e, 0xf5][pick(6)]!];
    case 11:
      return [0x0f, 0x90 + pick(16), modrm(0)];
    case 12:
      return [...prefix, 0x0f, 0x40 + pick(16), modrm(r())];
    case 13:
      return [...prefix, 0xf6 + byte, modrm(2 + pick(3))];
    case 14:
      return [...prefix, 0x0f, 0xaf, modrm(r())];
    case 15:
      return [pick(2) === 0 ? 0x66 : 0xf3, 0x0f, 0x38, 0xf6, modrm(r())];
    case 16:
      return [
        ...prefix.filter((b) => b === 0x66),
        0xf3,
        ...prefix.filter((b) => b === 0x48),
        0x0f,
        [0xb8, 0xbc, 0xbd][pick(3)]!,
        modrm(r()),
      ];
    case 17:
      return [...prefix, 0x0f, 0xa4 + 8 * pick(2), modrm(r()), pick(40)];
    case 18:
      return [...prefix, 0x84 + byte, modrm(r())];
    default:
      return [...prefix, 0x10 + 8 * pick(2) + byte, modrm(r())];
  }
}

/** Instructions, now and then a branch over one. */
function program(seed: number, wide: boolean): { readonly code: number[]; readonly starts: number[] } {
  const pick = random(seed);
  const code: number[] = [];
  const starts: number[] = [];
  for (let n = 0; n < 24; n++) {
    starts.push(code.length);
    const next = instruction(pick, wide);
    if (pick(6) === 0) {
      code.push(0x70 + pick(16), next.length);
      starts.push(code.length);
    }
    code.push(...next);
  }
  return { code, starts };
}

function prepare(cpu: RunningCpu, seed: number): void {
  const pick = random(seed ^ 0x5bd1e995);
  for (let n = 0; n < 8; n++) {
    const small = pick(3) === 0;
    const half = (): bigint => BigInt(small ? pick(3) - 1 : pick(0xffff_ffff) ^ (pick(2) << 31));
    cpu.setReg(n, BigInt.asUintN(64, (half() << 32n) ^ half()));
  }
  cpu.setReg(3, BigInt(DATA));
  cpu.setReg(4, 0x7000n);
  // BH is changed by instructions on bytes.
  cpu.poke(DATA & ~0xffff, ZEROS);
  cpu.poke(DATA, [1, 2, 3, 4, 5, 6, 7, 0x88]);
  cpu.pc = BigInt(CODE);
  cpu.cpu.eflags = pick(0x1000) & ARITHMETIC;
  cpu.cpu.updateFlags();
}

function state(cpu: RunningCpu, mode: 32 | 64): string {
  const registers = Array.from({ length: 8 }, (_, n) => BigInt.asUintN(mode, cpu.reg(n)).toString(16));
  const flags = (cpu.cpu.eflags & ARITHMETIC).toString(16);
  return `${registers.join(" ")} flags ${flags} pc ${cpu.pc.toString(16)} ${hex(cpu.ram.subarray(DATA, DATA + 8))}`;
}

/** Flags as such: nothing is left to be computed. */
function normalise({ cpu }: RunningCpu): void {
  const { eflags } = cpu;
  cpu.eflags = eflags;
}

const RUNS = Number(process.env.MIMUS_FUZZ_RUNS ?? 30);

describe.each([32, 64] as const)("in %i-bit code", (mode) => {
  it.each<BackEnd>(["interp", "wasm", "region"])(
    "flags on %s are those of single instructions",
    (backend) => {
      const oracle = new RunningCpu({ mode });
      const cpu = new RunningCpu({ mode, backend, options: { exact: backend === "interp" } });
      for (let seed = 1; seed <= RUNS; seed++) {
        const { code } = program(seed * 7919, mode === 64);
        const end = CODE + code.length;
        prepare(oracle, seed);
        oracle.poke(CODE, [...code, 0xcc]);
        while (Number(oracle.pc) < end && oracle.run(1) < 0) normalise(oracle);
        prepare(cpu, seed);
        cpu.poke(CODE, [...code, 0xcc]);
        // Twice, so that back ends with a past know the block.
        for (let n = 0; n < 2; n++) {
          prepare(cpu, seed);
          expect(cpu.run(1000), `seed ${seed}`).toBe(3);
        }
        const text = hex(code);
        expect(state(cpu, mode), `seed ${seed}: ${text}`).toBe(state(oracle, mode));
        expect(cpu.cpu.lo(OFF.ccOp)).toBeGreaterThanOrEqual(0);
      }
    },
    60_000,
  );
});
