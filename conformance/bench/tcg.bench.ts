/**
 * Speed of the engine on a toy instruction set.
 * Run: node --conditions=@mimus/source conformance/bench/tcg.bench.ts
 */
import { asm, ToyMachine } from "../../packages/tcg/tests/toy.ts";
import type { BackEnd } from "../../packages/tcg/src/index.ts";

/** Milliseconds of processor time: other work on the machine counts less. */
const now = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Seconds and guest instructions of a program run for about `insns` instructions, after as many to warm up. */
function run(backend: BackEnd, insns: number, prepare: (m: ToyMachine) => void): { mips: number; m: ToyMachine } {
  const m = new ToyMachine({ backend, now });
  prepare(m);
  m.cpu.pc = 0x1000;
  const slice = (n: number): void => {
    for (let left = n; left > 0;) {
      const before = m.vcpu.executed;
      m.vcpu.run(Math.min(left, 1_000_000));
      left -= m.vcpu.executed - before;
    }
  };
  slice(insns);
  const start = m.vcpu.executed;
  const t = now();
  slice(insns);
  return { mips: (m.vcpu.executed - start) / (now() - t) / 1000, m };
}

const programs: Record<string, (m: ToyMachine) => void> = {
  // 5 operations: two additions with a constant, an addition, an exclusive or, a branch.
  arithmetic: (m) =>
    m.program(
      0x1000,
      asm("addi", 3, 3, 1), asm("add", 1, 1, 3), asm("xor", 4, 1, 3), asm("addi", 5, 4, 7), asm("bne", 3, 2, -4),
    ), // prettier-ignore
  memory: (m) => {
    m.cpu.setR(7, 0x3000n);
    m.program(
      0x1000,
      asm("addi", 3, 3, 1), asm("ld", 1, 7, 8), asm("add", 1, 1, 3), asm("st", 1, 7, 8), asm("bne", 3, 2, -4),
    ); // prettier-ignore
  },
  // Two blocks in two pages that call each other through registers.
  indirect: (m) => {
    m.cpu.setR(7, 0x1000n);
    m.cpu.setR(8, 0x3010n);
    m.program(0x1000, asm("addi", 1, 1, 1), asm("add", 2, 2, 1), asm("jr", 0, 8));
    m.program(0x3010, asm("addi", 3, 3, 1), asm("add", 4, 4, 1), asm("jr", 0, 7));
  },
};

for (const [name, prepare] of Object.entries(programs)) {
  const row: string[] = [];
  for (const backend of ["interp", "auto"] as const) {
    const { mips } = run(backend, backend === "interp" ? 20_000_000 : 200_000_000, prepare);
    row.push(`${backend} ${mips.toFixed(0)} MIPS`);
  }
  console.log(`${name.padEnd(12)} ${row.join("   ")}`);
}

// Translation and misses: straight code over many pages, once through.
for (const backend of ["interp", "wasm"] as const) {
  const m = new ToyMachine({ backend, now, tbSize: 1 << 26 });
  const block = [
    asm("addi", 1, 1, 1), asm("ld", 2, 7, 8), asm("add", 2, 2, 1), asm("st", 2, 7, 8), asm("jmp", 0, 0, 1),
  ]; // prettier-ignore
  const words: number[] = [];
  for (let i = 0; i < 40_000; i++) words.push(...block);
  words.push(asm("halt"));
  words.forEach((w, i) => m.program(0x1_0000 + 4 * i, w));
  m.cpu.setR(7, 0x3000n);
  m.cpu.pc = 0x1_0000;
  const t = now();
  m.vcpu.run(0x7fffffff);
  const ms = now() - t;
  const s = m.tcg.stats();
  console.log(
    `${backend}: ${s.blocks} blocks of 5 instructions once: ${((ms * 1000) / s.blocks).toFixed(1)} us a block, ` +
      `translation ${((s.translateMs * 1000) / s.blocks).toFixed(1)}, wasm ` +
      `${((s.compileMs * 1000) / Math.max(s.compiled, 1)).toFixed(1)} (${s.compiled} compiled, ${s.wasmBytes} bytes)`,
  );
}
// Cost of a miss: the jump cache is emptied before each run of one block.
{
  const m = new ToyMachine({ backend: "interp", now });
  m.program(0x1000, asm("addi", 1, 1, 1), asm("jr", 0, 9));
  m.cpu.setR(9, 0x1000n);
  m.cpu.pc = 0x1000;
  const n = 300_000;
  const t = now();
  for (let i = 0; i < n; i++) m.vcpu.runBlock();
  console.log(`run of one block found in the hash: ${(((now() - t) * 1e6) / n).toFixed(0)} ns`);
}
