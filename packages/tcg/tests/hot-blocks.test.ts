/** When blocks that are hot are compiled. */
import { expect, test } from "vitest";
import { asm, ToyCpu, ToyMachine } from "./toy.ts";

test("vCPUs that take short turns have their hot blocks compiled together", () => {
  const m = new ToyMachine({ backend: "auto", hotThreshold: 2 });
  let second: ToyCpu | undefined;
  const vcpu = m.tcg.createCpu((env, engine) => (second = new ToyCpu(env, engine)));
  // Each runs a ring of its own of 40 blocks; one is far ahead of the other.
  for (const at of [0x1000, 0x2000]) {
    for (let i = 0; i < 40; i++) m.program(at + 4 * i, asm("jmp", 0, 0, i === 39 ? -39 : 1));
  }
  m.cpu.pc = 0x1000;
  second!.pc = 0x2000;
  m.vcpu.run(6_000_000);
  m.vcpu.run(1000);
  m.vcpu.run(1000);
  const before = m.tcg.stats().modules;
  for (let turn = 0; turn < 100; turn++) {
    vcpu.run(10);
    m.vcpu.run(10);
  }
  expect(m.tcg.stats().modules).toBe(before);
  for (let turn = 0; turn < 10; turn++) vcpu.run(500_000);
  expect(m.tcg.stats()).toMatchObject({ modules: before + 1, compiled: 80 });
});

test("a hot block that runs on in one long slice is compiled before the slice ends", () => {
  const m = new ToyMachine({ backend: "auto", hotThreshold: 2, region: { threshold: Infinity } });
  m.program(0x1000, asm("addi", 1, 1, 1), asm("bne", 1, 2, -1), asm("halt"));
  m.cpu.pc = 0x1000;
  m.cpu.setR(2, 100_000n);
  expect(m.vcpu.run(10_000_000)).toBe("halted");
  expect(m.tcg.stats().compiled).toBeGreaterThan(0);
});
