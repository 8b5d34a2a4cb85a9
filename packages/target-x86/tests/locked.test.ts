/** Locked instructions on memory that threads share do what they do where one vCPU runs at a time. */
import type { BackEnd } from "@mimus/tcg";
import { beforeAll, describe, expect, it } from "vitest";
import { RunningCpu } from "./running-cpu.ts";

const BASE = 0x10000;
const DATA = BASE + 0x4000;
const [AX, CX, DX, BX, SI] = [0, 1, 2, 3, 6];

/** Each with [rsi] as the place, and rcx as the other operand: LOCK is added to those without `alone`. */
const FORMS: readonly { readonly name: string; readonly code: readonly number[]; readonly alone?: true }[] = [
  { name: "add", code: [0x01, 0x0e] },
  { name: "add bytes", code: [0x00, 0x0e] },
  { name: "add words", code: [0x66, 0x01, 0x0e] },
  { name: "add quads", code: [0x48, 0x01, 0x0e] },
  { name: "or", code: [0x09, 0x0e] },
  { name: "adc", code: [0x11, 0x0e] },
  { name: "sbb", code: [0x48, 0x19, 0x0e] },
  { name: "and", code: [0x21, 0x0e] },
  { name: "sub", code: [0x29, 0x0e] },
  { name: "xor", code: [0x31, 0x0e] },
  { name: "inc", code: [0xff, 0x06] },
  { name: "dec", code: [0x48, 0xff, 0x0e] },
  { name: "not", code: [0xf7, 0x16] },
  { name: "neg", code: [0xf7, 0x1e] },
  { name: "xadd", code: [0x0f, 0xc1, 0x0e] },
  { name: "xadd bytes", code: [0x0f, 0xc0, 0x0e] },
  { name: "xchg", code: [0x87, 0x0e], alone: true },
  { name: "xchg of the high byte", code: [0x86, 0x2e], alone: true },
  { name: "cmpxchg", code: [0x0f, 0xb1, 0x0e] },
  { name: "cmpxchg quads", code: [0x48, 0x0f, 0xb1, 0x0e] },
  { name: "cmpxchg bytes", code: [0x0f, 0xb0, 0x0e] },
  { name: "cmpxchg8b", code: [0x0f, 0xc7, 0x0e] },
  { name: "cmpxchg16b", code: [0x48, 0x0f, 0xc7, 0x0e] },
  { name: "bts", code: [0x0f, 0xab, 0x0e] },
  { name: "btr", code: [0x0f, 0xb3, 0x0e] },
  { name: "btc", code: [0x48, 0x0f, 0xbb, 0x0e] },
  { name: "mfence", code: [0x0f, 0xae, 0xf0], alone: true },
];

/** xorshift32. */
function random(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

const quad = (next: () => number): bigint => (BigInt(next()) << 32n) | BigInt(next());

/** A page that is not isolated has no memory that threads can share. */
const SHAREABLE = typeof SharedArrayBuffer !== "undefined";
const BACK_ENDS: readonly BackEnd[] = ["interp", "wasm", "region"];

describe.skipIf(!SHAREABLE).each(BACK_ENDS)("%s", (backend) => {
  const make = (shared: boolean): RunningCpu => new RunningCpu({ mode: 64, base: BASE, size: 0x8000, backend, shared });
  let machines: readonly RunningCpu[] = [];
  beforeAll(() => {
    machines = [make(false), make(true)];
  });

  /** Behind the code, pushf and pop rdi tell the flags. */
  function state(cpu: RunningCpu, code: readonly number[], at: number, seed: number): string {
    const next = random(seed);
    const bytes = Uint8Array.from({ length: 64 }, () => next());
    cpu.poke(DATA, bytes);
    cpu.poke(BASE, [...code, 0x9c, 0x5f, 0xcc]);
    for (const n of [AX, CX, DX, BX]) cpu.setReg(n, quad(next));
    const old = new DataView(bytes.buffer).getBigUint64(at, true);
    // Every other exchange finds what it expects.
    if (seed % 2 === 0) {
      cpu.setReg(AX, code.includes(0x48) ? old : old & 0xffff_ffffn);
      cpu.setReg(DX, code.includes(0x48) ? new DataView(bytes.buffer).getBigUint64(at + 8, true) : old >> 32n);
    }
    cpu.setReg(CX, cpu.reg(CX) & 0xffff_ffff_0000_003fn);
    cpu.setReg(SI, BigInt(DATA + at));
    cpu.setReg(4, BigInt(BASE + 0x7000));
    cpu.cpu.eflags = (next() & 0x8d5) | 2;
    cpu.pc = BigInt(BASE);
    const vector = cpu.run(8);
    const regs = [AX, CX, DX, BX, SI, 7].map((n) => cpu.reg(n).toString(16));
    return `${vector} ${regs.join(" ")} ${cpu.ram.slice(DATA - BASE, DATA - BASE + 64).join(" ")}`;
  }

  it.each(FORMS)("$name", ({ code, alone }) => {
    const locked = alone === true ? code : [0xf0, ...code];
    for (let seed = 1; seed <= 4; seed++)
      // Aligned, within eight bytes, across them.
      for (const at of [0, 16, 18, 29]) {
        const [one, two] = machines.map((cpu) => state(cpu, locked, at, seed));
        expect(two, `seed ${seed} at ${at}`).toBe(one);
      }
  });
});
