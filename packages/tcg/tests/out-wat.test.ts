/** `-d out_wat`: what a machine shows of the code it makes. */
import { expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, ToyMachine } from "./toy.ts";

function shown(options: TcgOptions): string[] {
  const texts: string[] = [];
  const m = new ToyMachine({ ...options, trace: { outWat: (text) => void texts.push(text) } });
  m.program(0x1000, asm("addi", 3, 3, 1), asm("st", 3, 1, 0), asm("bne", 3, 2, -2), asm("halt"));
  m.cpu.pc = 0x1000;
  m.cpu.setR(1, 0x2000n);
  m.cpu.setR(2, 20n);
  expect(m.vcpu.run(1000)).toBe("halted");
  expect(m.cpu.r(3)).toBe(20n);
  return texts;
}

test("each compiled block, with the guest's instructions and the names of its globals", () => {
  const [loop, halt] = shown({ backend: "wasm" });
  expect(loop).toMatch(/^;; block 0x1000: 3 instructions\n\(func \$block\.1000 /);
  expect(loop).toMatch(/;; 0x1000: {2}addi r3, r3\n +\(local\.set \$v \(i64\.add \(local\.get \$r3\)/);
  expect(loop).toMatch(/\(call \$store \(i32\.const 0x[0-9a-f]+\) \(local\.get \$r1\)/);
  expect(halt).toContain(";; block 0x100c");
});

test("several in one module", () => {
  const texts = shown({ backend: "auto", hotThreshold: 1, batch: 2 });
  expect(texts.map((text) => text.split("\n")[0])).toContain(";; block 0x1000: 3 instructions");
});

test("each region, with its loops by name", () => {
  const [region] = shown({ backend: "region" });
  expect(region).toMatch(/^;; region 0x1000: \d blocks, \d instructions\n\(func \$region\.1000 /);
  expect(region).toContain("(loop $loop.1000");
  expect(region).toContain("(br $loop.1000)");
});
