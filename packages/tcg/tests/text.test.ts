import { Builder, IrError, parse, print, verify } from "@mimus/tcg";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CONTEXT, blockFrom } from "./random-block.ts";

const script = fc.array(fc.nat(), { maxLength: 200, size: "max" });

test("random blocks are valid, and printing and parsing gives them back", () => {
  fc.assert(
    fc.property(script, (choices) => {
      const block = blockFrom(choices);
      verify(block);
      const text = print(block);
      const again = parse(text, CONTEXT);
      verify(again);
      expect(print(again)).toBe(text);
      expect(again.ops).toEqual(block.ops);
    }),
    { numRuns: 300 },
  );
});

test("every kind of operand is read", () => {
  const text = `func @all(pc 0x80000000) {
  insn 0 0x0 -5
  %0 = const.f32 0x3f800000
  %1 = const.f64 0x4000000000000000
  %2 = bitcast.i32 %0
  %3 = fadd.f64 %1, %1
  %4 = to_i64s.f64 %3
  %5 = env_ld.i64.s16 0x200
  env_st.i32.u8 0x200, %2
  %6 = env_addr 0x200
  %7 = ld.i64.u32 %4, mmu=1
  st.i64.u64be %7, %5, mmu=0
  %8 = atomic_cmpxchg.i64.s32 %4, %5, %7, mmu=2
  mb 15
  %9 = call.i32 mix %2, %6
  call trap %9
  %10 = movcond.tstne.i64 %4, %5, %7, %8
  brcond.leu.i64 %10, %4, L1
  brcond.ne.i64 %10, %4, L1, rare
  goto_tb 1
L1:
  goto_ptr hint=return
}
`
    .replace("mix %2", "mix, %2")
    .replace("trap %9", "trap, %9");
  const block = parse(text, CONTEXT);
  verify(block);
  expect(print(block)).toBe(text);
});

const wrap = (body: string): string => `func @t(pc 0x0) {\n${body}\n}`;

test.each([
  ["  %0 = frob.i64 %1", /Line 2: There is no operation "frob"/],
  ["  %0 = add.i64 %1, %2", /Line 2: %1 is not defined above/],
  ["  %0 = get.i64 nothing", /no global "nothing"/],
  ["  %0 = const.i64 zero", /"zero" is not an integer/],
  ["  %0 = const.i16 0", /"i16" is not a type/],
  ["  %0 = setcond.lo.i64 %1, %2", /"lo" is not a condition/],
  ["  exit_tb next, 3", /"3" is too much/],
  ["  get.i64 x1", /defines a value/],
  ["  %0 = exit_tb next", /defines no value/],
])("the parser refuses %s", (body, message) => {
  expect(() => parse(wrap(body), CONTEXT)).toThrow(message);
});

test.each([
  ["  %0 = get.i64 x1\n  %1 = get.i32 w1\n  %2 = add.i64 %0, %1\n  exit_tb next", /operand 1 is i32, wanted i64/],
  ["  %0 = get.i32 x1\n  exit_tb next", /the global is i64/],
  ["  %0 = get.i64 x1\n  %1 = extract.i64 %0, 60, 5\n  exit_tb next", /length 5 is not in 1…4/],
  ["  %0 = get.i64 x1\n  set.i64 x2, %0", /runs off the end/],
  ["  exit_tb next\n  exit_tb next", /follows a terminator/],
  ["L0:\nL0:\n  exit_tb next", /placed twice/],
  ["  br L0", /label is not placed/],
  ["  insn 1 0x0\n  insn 1 0x4\n  exit_tb next", /follows instruction 1/],
  ["  %0 = env_ld.i64.u64 0x88\n  exit_tb next", /overlaps the global x1/],
  ["  %0 = env_ld.i32.u64 0x200\n  exit_tb next", /u64 does not fit i32/],
  [
    "  %0 = get.i64 x1\n  brcond.eq.i64 %0, %0, L0\n  %1 = const.i64 1\nL0:\n  set.i64 x1, %1\n  exit_tb next",
    /not defined on every path/,
  ],
  ["  br L1\nL0:\n  %0 = const.i64 1\nL1:\n  br L2\nL2:\n  set.i64 x1, %0\n  br L0", /not defined on every path/],
  ["  call.i32 mix\n  exit_tb next", /defines a value/],
  ["  %0 = call.i32 mix\n  exit_tb next", /wants 2 operands/],
])("the verifier refuses %s", (body, message) => {
  expect(() => verify(parse(wrap(body), CONTEXT))).toThrow(message);
});

test("a value that dominates its use through a loop is accepted", () => {
  verify(
    parse(
      wrap("  %0 = get.i64 x1\nL0:\n  %1 = get.i64 x2\n  brcond.ne.i64 %0, %1, L0\n  set.i64 x1, %1\n  exit_tb next"),
      CONTEXT,
    ),
  );
});

test("the builder refuses operands of different types where they are written", () => {
  const b = new Builder(CONTEXT);
  b.begin(0n);
  expect(() => b.add(b.get("x1"), b.get("w1"))).toThrow(IrError);
  expect(() => b.set("w1", b.get("x1"))).toThrow("set w1 wants i32, got i64");
  expect(() => b.call("mix", b.get("w1"))).toThrow("mix needs more than 1 operands");
});
