/** A block that a region cuts short, as another one begins within it, and leaves: its links are those of the whole block. */
import { expect, test } from "vitest";
import { ENV } from "../src/index.ts";
import type { Target, TcgOptions } from "../src/index.ts";
import { asm, OP, toy, ToyMachine } from "./toy.ts";

/** `brk` may write the flags that blocks are looked up by, if r6 and r7 differ: no region goes on behind its block. */
const target: Target = {
  ...toy,
  globals: [...toy.globals, { name: "tbflags", offset: ENV.tbFlags, type: "i32" }],
  insn(c) {
    if (c.u32(c.at) >>> 24 !== OP.brk) return toy.insn(c);
    const { ir } = c;
    ir.insn(c.at);
    const same = ir.label();
    ir.brcond("eq", ir.get("r6"), ir.get("r7"), same);
    ir.set("tbflags", ir.or(ir.get("tbflags"), ir.const32(8)));
    ir.place(same);
    return 4;
  },
};

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  region: { backend: "region" },
};

test.each(Object.keys(WAYS))("goes on where it was cut (%s)", (name) => {
  const m = new ToyMachine(WAYS[name]!, target);
  m.program(
    0x1000,
    asm("addi", 1, 1, 1), // 1000
    asm("and1", 4, 1, 0),
    asm("bne", 4, 6, 2), // odd: to 1010, else 100c, whose block has the next three
    asm("brk"), // 100c
    asm("addi", 5, 5, 1), // 1010
    asm("blt", 2, 1, 2), // 1014
    asm("jmp", 0, 0, -6), // 1018: where the first link of the whole block leads
    asm("halt"),
  );
  m.cpu.setR(2, 3000n);
  m.cpu.pc = 0x1000;
  expect(m.vcpu.run(100_000)).toBe("halted");
  expect([m.cpu.r(1), m.cpu.r(5)]).toEqual([3001n, 3001n]);
});
