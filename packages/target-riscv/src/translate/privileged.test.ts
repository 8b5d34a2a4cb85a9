import { ENV } from "@mimus/tcg";
import { describe, expect, test } from "vitest";
import { RunningHart } from "../../tests/running-hart.ts";
import { MSTATUS, PRIV } from "../constants.ts";
import { mstatusMask } from "../csr/status.ts";
import { OFF, xOffset, type Xlen } from "../state.ts";

const RAM = 0x8000_0000;
const BACKENDS = ["interp", "wasm"] as const;
const A0 = 10, A1 = 11; // prettier-ignore

/** A small generator of 32-bit numbers; the tests repeat. */
function numbers(seed: number): () => number {
  let s = seed;
  return () => {
    s = Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    const t = Math.imul(s ^ (s >>> 12), 0x297a2d39);
    return (t ^ (t >>> 15)) | 0;
  };
}

/** A legal random state with an instruction at the start of RAM. */
function prepare(h: RunningHart, insn: number, random: () => number, priv: number): void {
  const { hart } = h;
  const mpp = [0, 1, 3][(random() >>> 1) % 3]! << 11;
  hart.setLo(OFF.mstatus, (random() & mstatusMask(hart.config) & ~MSTATUS.MPP) | mpp);
  const far = (): number => RAM | (random() & 0xffc);
  for (const offset of [OFF.mtvec, OFF.stvec, OFF.mepc, OFF.sepc]) hart.set(offset, far() | 0, 0);
  for (const offset of [OFF.mie, OFF.mideleg]) hart.setLo(offset, random() & (offset === OFF.mie ? 0xaaa : 0x222));
  hart.setLo(OFF.medeleg, random() & 0xb3ff);
  hart.setLo(OFF.mipSoft, 0);
  hart.setLo(OFF.irqLines, 0);
  hart.setLo(OFF.fpFlags, random() & 31);
  hart.set(OFF.resAddr, 0x40, 0);
  hart.set(OFF.pc, RAM | 0, 0);
  hart.setLo(OFF.priv, priv);
  hart.set(xOffset(A1), random(), hart.rv64 ? random() : 0);
  hart.set(xOffset(A0), 0, 0);
  h.ram.setUint32(0, insn, true);
  hart.engine.flushCode();
  hart.stateReplaced();
}

/** All of a hart's state but what lives within an instruction. */
function state(h: RunningHart): Record<string, string> {
  const out: Record<string, string> = {};
  const trapped = h.hart.lo(OFF.mcause);
  for (let offset = 128; offset < OFF.end; offset += 4) {
    if (offset === OFF.trapValue || offset === OFF.trapValue + 4) continue;
    out[`${offset}`] = (h.hart.lo(offset) >>> 0).toString(16);
  }
  out["flags"] = h.hart.lo(ENV.tbFlags).toString(16);
  out["cause"] = `${trapped}`;
  return out;
}

/** One hart that translates, and one that the expectation is carried out on. */
type Pair = readonly [RunningHart, RunningHart];
const pair = (xlen: Xlen, backend: (typeof BACKENDS)[number]): Pair => [
  new RunningHart({ xlen, backend }),
  new RunningHart({ xlen, backend }),
];

/** The state after an instruction whose effect on a hart `expected` carries out. */
function compare(
  [a, b]: Pair, insn: number, seed: number, priv: number, expected: (h: RunningHart) => void,
): void {
  prepare(a, insn, numbers(seed), priv);
  prepare(b, insn, numbers(seed), priv);
  const before = a.hart.lo(OFF.mstatus) >>> 0;
  a.vcpu.step();
  expected(b);
  expect(state(a), `insn ${insn.toString(16)} priv ${priv} mstatus ${before.toString(16)}`).toEqual(state(b));
} // prettier-ignore

const next = (h: RunningHart): void => h.hart.set(OFF.pc, (RAM + 4) | 0, 0);
const illegal = (h: RunningHart, insn: number): void => {
  h.hart.illegal(insn);
  h.hart.setLo(ENV.exception, 0);
  h.hart.deliver(2);
};

function ecall({ hart }: RunningHart, priv: number): void {
  hart.set(OFF.trapValue, 0, 0);
  hart.deliver(8 + priv);
}

/** xRET as the specification words it. Source: Privileged 20211203, 3.1.6.1. */
function trapReturn(h: RunningHart, level: "m" | "s", insn: number): void {
  const { hart } = h;
  const old = hart.lo(OFF.mstatus);
  const priv = hart.lo(OFF.priv);
  if (priv < (level === "m" ? PRIV.M : PRIV.S) || (level === "s" && priv === PRIV.S && old & MSTATUS.TSR))
    return illegal(h, insn);
  const [ie, pie] = level === "m" ? [MSTATUS.MIE, MSTATUS.MPIE] : [MSTATUS.SIE, MSTATUS.SPIE];
  const to = level === "m" ? (old >> 11) & 3 : (old >> 8) & 1;
  let now = (old & ~ie) | (old & pie ? ie : 0) | pie;
  now &= ~(level === "m" ? MSTATUS.MPP : MSTATUS.SPP);
  if (to !== PRIV.M) now &= ~MSTATUS.MPRV;
  hart.setLo(OFF.mstatus, now);
  const epc = level === "m" ? OFF.mepc : OFF.sepc;
  hart.set(OFF.pc, hart.lo(epc), hart.hi(epc));
  hart.setPriv(to);
}

describe.each(BACKENDS)("%s", (backend) => {
  describe.each([32, 64] as const)("RV%i", (xlen) => {
    test("ECALL, MRET and SRET do what the specification says, in every mode", () => {
      const harts = pair(xlen, backend);
      for (const priv of [0, 1, 3])
        for (let seed = 1; seed <= 12; seed++) {
          compare(harts, 0x73, seed, priv, (h) => ecall(h, priv));
          compare(harts, 0x30200073, seed, priv, (h) => trapReturn(h, "m", 0x30200073));
          compare(harts, 0x10200073, seed, priv, (h) => trapReturn(h, "s", 0x10200073));
        }
    });

    test("CSR instructions without a call do what the CSR file does", () => {
      const csrs = [0x001, 0x100, 0x104, 0x105, 0x140, 0x141, 0x142, 0x144, 0x300, 0x304, 0x305, 0x341, 0x344, 0x342];
      const harts = pair(xlen, backend);
      for (const csr of csrs)
        for (const funct of [1, 2, 3, 5, 6, 7])
          for (const source of [A1, 0, 2])
            for (const priv of [1, 3]) {
              const rs1 = funct < 4 && source !== 0 ? A1 : source;
              const insn = ((csr << 20) | (rs1 << 15) | (funct << 12) | (A0 << 7) | 0x73) >>> 0;
              const seed = csr * 64 + funct * 8 + source;
              compare(harts, insn, seed, priv, (h) => {
                const { hart } = h;
                const lo = funct < 4 ? hart.lo(xOffset(rs1)) : rs1;
                const hi = funct < 4 ? hart.hi(xOffset(rs1)) : 0;
                if (!hart.csrs.access(insn, lo, hi)) {
                  hart.setLo(ENV.exception, 0);
                  return hart.deliver(2);
                }
                hart.set(xOffset(A0), hart.csrs.value[0]!, xlen === 64 ? hart.csrs.value[1]! : 0);
                next(h);
              });
            }
    });
  });
});
