import { expect, test } from "vitest";
import { encodingsOf } from "./stamp-encodings.ts";
import { RunningCpu } from "./running-cpu.ts";

const BASE = 0x10_0000;
const SIZE = 0x8000;
const CODE = BASE + 0x1000;

let seed = 7;
const random = (n: number): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % n;
};

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (const word of new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))
    sum = (Math.imul(sum, 31) + word) | 0;
  return sum;
}

/** What can be seen of a CPU. */
function seen(m: RunningCpu, count: number): object {
  const registers = Array.from({ length: count }, (_, n) => m.reg(n));
  const { vector, code, faultAddress, eflags } = m.cpu;
  return { registers, pc: m.pc, eflags, vector, code: vector < 0 ? 0 : code, faultAddress, ram: checksum(m.ram) };
}

/** The same on each: registers that point into memory mostly, flags of any kind, and code at the end of a page or before it. */
function prepare(machines: readonly RunningCpu[], count: number, code: readonly number[], at: number): void {
  const values = Array.from({ length: count }, () =>
    random(3) > 0
      ? BigInt(BASE + 0x4000 + random(0x2000))
      : BigInt([0, 1, -1, 0x80, 0x7fff_ffff, -0x8000_0000][random(6)]!),
  );
  const ram = Uint8Array.from({ length: 64 }, () => random(256));
  const flags = random(0x1000) & 0x8d5;
  for (const m of machines) {
    m.ram.fill(0xf4);
    m.poke(BASE + 0x5000, ram);
    m.poke(at, code);
    for (const [n, v] of values.entries()) m.setReg(n, BigInt.asUintN(count === 16 ? 64 : 32, v));
    m.setReg(4, BigInt(BASE + 0x5000));
    m.cpu.eflags = flags | 2;
    m.cpu.faultAddress = 0n;
    m.pc = BigInt(at);
  }
}

test.each([
  [64, 64],
  [32, 64],
  [32, 32],
] as const)("code of %i bits on %i-bit registers does the same with stamps", (mode, word) => {
  const features = { mode, word, base: BASE, size: SIZE } as const;
  const machines = [
    // With a trace of its IR, every instruction has IR.
    new RunningCpu({ ...features, backend: "auto", options: { hotThreshold: 1 << 30, trace: { op: () => {} } } }),
    new RunningCpu({ ...features, backend: "auto", options: { hotThreshold: 1 << 30 } }),
  ];
  const encode = encodingsOf(mode, random);
  const count = word === 64 ? 16 : 8;
  for (let n = 0; n < 1000; n++) {
    const code: number[] = [];
    for (let k = 1 + random(6); k > 0; k--) code.push(...encode());
    const at = n % 4 === 0 ? CODE + 0x1000 - code.length : CODE + random(0x800);
    prepare(machines, count, code, at);
    const [plain, stamped] = machines.map((m) => {
      m.run(12);
      return seen(m, count);
    });
    expect(stamped, `${n}: ${code.map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`).toEqual(plain);
    for (const m of machines) m.machine.flushCode();
  }
  const [plain, stamped] = machines.map((m) => m.machine.stats().irOps);
  // Shapes that are met for the first time have IR, too.
  expect(stamped).toBeLessThan(plain! * 0.8);
});
