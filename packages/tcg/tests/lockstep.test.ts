import { expect, test } from "vitest";
import { Lockstep } from "../src/index.ts";
import { asm, ToyMachine, VECTOR } from "./toy.ts";

function pair(): [ToyMachine, ToyMachine] {
  const machines = (["interp", "wasm"] as const).map((backend) => {
    const m = new ToyMachine({ backend, traceStores: true });
    m.program(
      0x1000,
      asm("addi", 1, 1, 8), asm("st", 1, 1, 0x3000), asm("ldb", 4, 1, 0x3001), asm("mul", 5, 1, 4),
      asm("amoadd", 6, 1, 5), asm("bne", 1, 2, -5), asm("sys", 0, 0, 3),
    ); // prettier-ignore
    m.program(VECTOR, asm("addi", 7, 7, 1), asm("halt"));
    m.cpu.setR(2, 800n);
    m.cpu.pc = 0x1000;
    return m;
  });
  return machines as [ToyMachine, ToyMachine];
}

const sides = ([a, b]: [ToyMachine, ToyMachine]): Lockstep =>
  new Lockstep({ name: "interp", machine: a.tcg, vcpu: a.vcpu }, { name: "wasm", machine: b.tcg, vcpu: b.vcpu });

test("two back ends run a program alike", () => {
  const machines = pair();
  const lockstep = sides(machines);
  expect(lockstep.run(1000)).toBeUndefined();
  expect(lockstep.blocks).toBeGreaterThan(100);
  expect(machines[0].cpu.r(7)).toBe(1n);
});

test("a difference is reported with the register and the code", () => {
  const machines = pair();
  const lockstep = sides(machines);
  expect(lockstep.run(10)).toBeUndefined();
  machines[1].cpu.setR(9, 0x1_0000_0000n);
  const d = lockstep.run(10)!;
  expect(d.block).toBe(10);
  expect(d.pc).toBe(0x1000n);
  expect(d.fields).toEqual([{ name: "r9", a: "0000000000000000", b: "0000000100000000" }]);
  expect(d.disassembly).toContain("0x1004:  st r1, r1");
});

test("a store of another value shows in the hash", () => {
  const machines = pair();
  machines[1].cpu.setR(1, 8n);
  const d = sides(machines).run(10)!;
  expect(d.fields.map((f) => f.name)).toContain("storeHash");
});
