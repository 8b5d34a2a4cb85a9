/** Code for one vCPU has the address of its state block as a constant; code for several is told it. */
import { expect, test } from "vitest";
import { asm, ToyCpu, ToyMachine } from "./toy.ts";

function counting(texts: string[]): ToyMachine {
  const m = new ToyMachine({ backend: "region", trace: { outWat: (text) => void texts.push(text) } });
  m.program(0x1000, asm("addi", 3, 3, 1), asm("st", 3, 1, 0), asm("bne", 3, 2, -2), asm("halt"));
  return m;
}

function run({ cpu, vcpu }: Pick<ToyMachine, "cpu" | "vcpu">, to: bigint, at: bigint): void {
  cpu.pc = 0x1000;
  cpu.setR(1, at);
  cpu.setR(2, to);
  expect(vcpu.run(1000)).toBe("halted");
  expect(cpu.r(3)).toBe(to);
}

test("one vCPU's state is read and written at constant addresses, its TLB too", () => {
  const texts: string[] = [];
  run(counting(texts), 20n, 0x2000n);
  expect(texts.length).toBeGreaterThan(0);
  for (const text of texts) expect(text).not.toContain("(local.get $env)");
});

test("with a second vCPU code is made anew, which serves both", () => {
  const texts: string[] = [];
  const m = counting(texts);
  run(m, 20n, 0x2000n);
  let cpu: ToyCpu | undefined;
  const vcpu = m.tcg.createCpu((env, engine) => (cpu = new ToyCpu(env, engine)));
  const before = texts.length;
  run({ cpu: cpu!, vcpu }, 30n, 0x3000n);
  expect(texts.length).toBeGreaterThan(before);
  for (const text of texts.slice(before)) expect(text).toContain("(local.get $env)");
  expect(m.cpu.r(3)).toBe(20n);
  expect([m.u64(0x2000), m.u64(0x3000)]).toEqual([20n, 30n]);
});
