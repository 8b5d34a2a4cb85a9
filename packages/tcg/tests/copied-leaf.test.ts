/** Functions that call nothing become part of the loop that calls them, up to a size. */
import { expect, test } from "vitest";
import { asm, ToyMachine } from "./toy.ts";

/** A loop that calls a function of so many instructions. @returns its region's text */
function loopWithCall(insns: number): string {
  const texts: string[] = [];
  const m = new ToyMachine({
    backend: "auto",
    hotThreshold: 2,
    batch: 1,
    region: { threshold: 20 },
    trace: { outWat: (text) => void texts.push(text) },
  });
  m.program(0x1000, asm("call", 15, 0, 8), asm("addi", 1, 1, 1), asm("bne", 1, 2, -2), asm("halt"));
  m.program(0x1020, ...Array.from({ length: insns - 1 }, () => asm("addi", 5, 5, 1)), asm("ret", 0, 15));
  m.cpu.pc = 0x1000;
  m.cpu.setR(2, 30_000n);
  for (let turn = 0; turn < 4000 && m.vcpu.run(1000) === "budget"; turn++);
  expect(m.cpu.r(5)).toBe(BigInt((insns - 1) * 30_000));
  const found = texts.findLast((text) => text.startsWith(";; region") && text.includes(";; 0x1000:"));
  expect(found).toBeDefined();
  return found!;
}

test("a function of 60 instructions is copied", () => {
  expect(loopWithCall(60)).not.toContain("(local.get $depth)");
});

test("one of 100 is called", () => {
  expect(loopWithCall(100)).toContain("$depth");
});
