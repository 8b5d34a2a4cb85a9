/** Repeated string instructions: many elements at once give what one after the other gives, and faults find exact registers. */
import { describe, expect, it } from "vitest";
import type { BackEnd } from "@mimus/tcg";
import { OFF } from "../src/state.ts";
import { RunningCpu } from "./running-cpu.ts";

const BASE = 0x10000;
const SIZE = 0x20000;
const CODE = BASE;
const END = BASE + SIZE;
const [CX, SI, DI] = [1, 6, 7];

interface Move {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly size: 1 | 2 | 4 | 8;
  readonly down?: boolean;
}

const opcode = (base: number, size: number): number[] =>
  size === 1
    ? [0xf3, base]
    : size === 2
      ? [0x66, 0xf3, base + 1]
      : size === 4
        ? [0xf3, base + 1]
        : [0xf3, 0x48, base + 1];

function pattern(cpu: RunningCpu): void {
  const bytes = new Uint8Array(SIZE - 0x1000);
  for (let n = 0; n < bytes.length; n++) bytes[n] = (n * 167 + (n >> 7)) & 0xff;
  cpu.poke(BASE + 0x1000, bytes);
}

function setUp(cpu: RunningCpu, code: number[], { from, to, count, down }: Move): void {
  pattern(cpu);
  cpu.poke(CODE, [...code, 0xcc]);
  cpu.setReg(CX, BigInt(count));
  cpu.setReg(SI, BigInt(from));
  cpu.setReg(DI, BigInt(to));
  cpu.setReg(0, 0x1122_3344_5566_7788n);
  cpu.pc = BigInt(CODE);
  cpu.cpu.setLo(OFF.df, down === true ? -1 : 1);
}

/** Memory as one element after the other leaves it, and how many were moved before a fault. */
function expected(cpu: RunningCpu, move: Move, fill: boolean): { ram: Uint8Array; done: number } {
  const ram = cpu.ram.slice();
  const step = move.down === true ? -move.size : move.size;
  let done = 0;
  const inside = (at: number): boolean => at >= BASE && at + move.size <= END;
  for (; done < move.count; done++) {
    const from = move.from + step * done;
    const to = move.to + step * done;
    if ((!fill && !inside(from)) || !inside(to)) break;
    const element = ram.slice(from - BASE, from - BASE + move.size);
    for (let n = 0; n < move.size; n++)
      ram[to - BASE + n] = fill ? Number((0x1122_3344_5566_7788n >> BigInt(8 * n)) & 0xffn) : element[n]!;
  }
  return { ram, done };
}

const MOVES: readonly (Move & { readonly name: string })[] = [
  { name: "few", from: 0x12000, to: 0x14000, count: 3, size: 1 },
  { name: "none", from: 0x12000, to: 0x14000, count: 0, size: 4 },
  { name: "many, over pages", from: 0x12345, to: 0x18001, count: 9000, size: 1 },
  { name: "words that lie across pages", from: 0x12ffd, to: 0x18001, count: 3000, size: 4 },
  { name: "quadwords", from: 0x12008, to: 0x18010, count: 1500, size: 8 },
  { name: "halfwords downwards", from: 0x17002, to: 0x1b002, count: 3000, size: 2, down: true },
  { name: "the target follows the source by one", from: 0x12000, to: 0x12001, count: 5000, size: 1 },
  { name: "the target follows the source by 24", from: 0x12000, to: 0x12018, count: 5000, size: 4 },
  { name: "the target follows the source by less than an element", from: 0x12000, to: 0x12003, count: 500, size: 8 },
  { name: "the target comes before the source", from: 0x12010, to: 0x12001, count: 5000, size: 1 },
  { name: "a fault at the end of the target", from: 0x12000, to: END - 100, count: 200, size: 1 },
  { name: "a fault at the end of the source", from: END - 0x2004, to: 0x12000, count: 0x1000, size: 4 },
  { name: "an element across the end of memory", from: 0x12000, to: END - 0x1003, count: 0x1000, size: 4 },
];

describe.each<BackEnd>(["interp", "wasm", "region"])("on %s", (backend) => {
  const cpu = new RunningCpu({ mode: 64, base: BASE, size: SIZE, backend });

  it.each(MOVES)("REP MOVS, $name", (move) => {
    const code = opcode(0xa4, move.size);
    setUp(cpu, code, move);
    const want = expected(cpu, move, false);
    const vector = cpu.run(100_000);
    check(cpu, vector, move, want.done, code.length);
    const at = move.down === true ? -move.size : move.size;
    expect(cpu.reg(SI)).toBe(BigInt(move.from + at * want.done));
    expect(cpu.ram.findIndex((b, n) => b !== want.ram[n])).toBe(-1);
  });

  it.each(MOVES)("REP STOS, $name", (move) => {
    const code = opcode(0xaa, move.size);
    setUp(cpu, code, move);
    const want = expected(cpu, move, true);
    const vector = cpu.run(100_000);
    check(cpu, vector, move, want.done, code.length);
    expect(cpu.ram.findIndex((b, n) => b !== want.ram[n])).toBe(-1);
  });

  it.each([0xa4, 0xaa])("each element of opcode %i is an instruction, whatever the TLB holds", (base) => {
    const move = { from: 0x12345, to: 0x18001, count: 9000, size: 1 } as const;
    for (const budget of [1, 2, 7, 8, 9, 4095, 5000, 8999]) {
      const left = ["cold", "warm"].map((tlb) => {
        setUp(cpu, opcode(base, move.size), move);
        if (tlb === "cold") cpu.vcpu.flushTlb(-1);
        expect(cpu.run(budget)).toBe(-1);
        return Number(cpu.reg(CX));
      });
      expect(left).toEqual([move.count - budget, move.count - budget]);
    }
  });

  it("REP STOS over code that was run is seen by the next run of it", () => {
    // The code that is written: inc eax; int3, which becomes 16 NOPs and the INT3 behind them.
    const target = 0x14000;
    cpu.poke(target, [0xff, 0xc0, 0xcc]);
    cpu.setReg(0, 5n);
    cpu.cpu.setLo(OFF.df, 1);
    cpu.pc = BigInt(target);
    expect(cpu.run(10)).toBe(3);
    expect(cpu.reg(0)).toBe(6n);
    cpu.poke(CODE, [0xf3, 0xaa, 0xcc]);
    cpu.poke(target + 16, [0xcc]);
    cpu.setReg(0, 0x90n);
    cpu.setReg(CX, 16n);
    cpu.setReg(DI, BigInt(target));
    cpu.pc = BigInt(CODE);
    expect(cpu.run(100)).toBe(3);
    cpu.pc = BigInt(target);
    expect(cpu.run(100)).toBe(3);
    expect(cpu.reg(0)).toBe(0x90n);
    expect(cpu.pc).toBe(BigInt(target + 16));
  });
});

function check(cpu: RunningCpu, vector: number, move: Move, done: number, length: number): void {
  const at = move.down === true ? -move.size : move.size;
  expect(vector).toBe(done === move.count ? 3 : 14);
  expect(cpu.reg(CX)).toBe(BigInt(move.count - done));
  expect(cpu.reg(DI)).toBe(BigInt(move.to + at * done));
  expect(cpu.pc).toBe(BigInt(done === move.count ? CODE + length : CODE));
}
