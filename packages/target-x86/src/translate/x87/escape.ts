/** What every x87 instruction begins with, and what it leaves for the handler of an exception. */
import type { Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import { HF, OFF, SEG, SEG_FIELD, segOffset } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";

/** ES in the status word: an exception that is not masked is pending. */
const ES = 0x80;

/** #NM if the coprocessor is emulated or its state is that of another task. @returns whether it was raised */
function unavailable(t: Tx): boolean {
  if ((t.flags & (HF.em | HF.ts)) === 0) return false;
  t.raise(7);
  t.ctx.done = true;
  return true;
}

/**
 * A pending exception comes now: #MF, or FERR# and perhaps an interrupt before this instruction. With all exceptions
 * masked none can be pending. Source: Intel SDM volume 1 (2023), 8.7.
 */
export function pendingError(t: Tx): void {
  if ((t.flags & HF.x87Fast) !== 0) return;
  const { ir } = t;
  t.rarely("tstne", ir.envLd("i32", "u32", OFF.fpuSw), ir.const32(ES), () => {
    t.flushFlags();
    const go = ir.label();
    ir.brcond("eq", ir.call("x87_error"), ir.const32(0), go);
    t.lazy.store();
    ir.set("pc", t.pcValue(t.pcAt(0)));
    ir.exit("next");
    ir.place(go);
  });
}

const CODE = 1 << 8;

/**
 * Instruction and data pointers, and the opcode. Outside 64-bit code selectors go with them: once in a block, where
 * they do not change. Source: Intel SDM volume 1 (2023), 8.1.8, 8.1.9.
 */
function pointers(t: Tx, i: Insn, data: Value | undefined): void {
  const { ir } = t;
  const mem = t.word === 64 ? "u64" : "u32";
  const opcode = ((i.opcode & 7) << 8) | i.modrm;
  if ((t.flags & HF.csBase) === 0 && t.code !== 64) {
    // The opcode's field lies before the pointer's.
    ir.envSt("u64", OFF.fpuOpcode, ir.constBits("i64", opcode, Number(BigInt.asIntN(32, t.pcAt(0)))));
  } else {
    ir.envSt("u32", OFF.fpuOpcode, ir.const32(opcode));
    ir.envSt(mem, OFF.fpuIp, t.ipHere());
  }
  if (data !== undefined) ir.envSt(mem, OFF.fpuDp, data);
  if (t.code === 64) return;
  if ((t.x87Selectors & CODE) === 0) {
    t.x87Selectors |= CODE;
    ir.envSt("u32", OFF.fpuCs, ir.envLd("i32", "u32", segOffset(SEG.cs) + SEG_FIELD.selector));
  }
  if (data === undefined || (t.x87Selectors & ~CODE) === 1 << i.mem.seg) return;
  t.x87Selectors = (t.x87Selectors & CODE) | (1 << i.mem.seg);
  ir.envSt("u32", OFF.fpuDs, ir.envLd("i32", "u32", segOffset(i.mem.seg) + SEG_FIELD.selector));
}

/** An instruction that works on registers only. */
export function escape(work: (t: Tx, i: Insn) => void): Translate {
  return (t, i) => {
    if (unavailable(t)) return;
    pendingError(t);
    pointers(t, i, undefined);
    work(t, i);
  };
}

/** One with an operand in memory: `work` returns once nothing can fault any more. */
export function escapeMemory(access: (t: Tx, i: Insn) => () => void): Translate {
  return (t, i) => {
    if (unavailable(t)) return;
    pendingError(t);
    const data = t.effective(i);
    const finish = access(t, i);
    pointers(t, i, data);
    finish();
  };
}

/** A control instruction: leaves the pointers alone; `waits`: looks for pending exceptions. */
export function control(waits: boolean, work: (t: Tx, i: Insn) => void): Translate {
  return (t, i) => {
    if (unavailable(t)) return;
    if (waits) pendingError(t);
    work(t, i);
  };
}
