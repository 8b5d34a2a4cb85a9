/**
 * The CSRs that kernels touch most, in translated code: no call, and an end of the block only where something that code
 * is specialised on, or an interrupt's mask, may change. Source: Privileged 20211203, 3.1.6–3.1.9, 3.1.7, 4.1.
 */
import type { Value } from "@mimus/tcg";
import { IRQ, M_INTERRUPTS, MSTATUS, PRIV, S_INTERRUPTS } from "../constants.ts";
import { mstatusMask, SSTATUS } from "../csr/status.ts";
import { FLAGS, FS, OFF } from "../state.ts";
import type { Block } from "./block.ts";
import { lookAtInterrupts, supervisorFlags } from "./trap.ts";

/** What an instruction does with the old value and its operand. */
export type Update = "write" | "set" | "clear";

/** One CSR instruction. */
export interface CsrAccess {
  readonly update: Update;
  readonly rd: number;
  /** rs1, or the immediate, register-wide. */
  readonly operand: Value;
  /** The operand where it is known, else undefined. */
  readonly known: number | undefined;
  /** CSRRS and CSRRC with x0 or 0 do not write. */
  readonly writes: boolean;
}

/** Emits a whole access. @returns false, with nothing emitted, when this access needs the helper. */
type Emit = (b: Block, a: CsrAccess) => boolean;

const FLAG_BITS = MSTATUS.FS | MSTATUS.SUM | MSTATUS.MXR | MSTATUS.MPRV;
const ENABLES = MSTATUS.SIE | MSTATUS.MIE;
const FS_TO_FLAGS: number = 13 - FLAGS.fsShift;

function updated(b: Block, update: Update, old: Value, operand: Value): Value {
  if (update === "write") return operand;
  return update === "set" ? b.ir.or(old, operand) : b.ir.andc(old, operand);
}

/** The low 32 bits of a register-wide value. */
const low = (b: Block, v: Value): Value => (b.rv64 ? b.ir.extrl(v) : v);
/** A 32-bit value zero-extended to a register. */
const wide = (b: Block, v: Value): Value => (b.rv64 ? b.ir.extuI32(v) : v);

/** Ends the block before the next instruction, with a look at interrupts. */
function endMasked(b: Block): void {
  b.ir.set("pc", b.address(b.length));
  lookAtInterrupts(b);
  b.jump(0, b.length);
  b.ctx.done = true;
}

/** A register-wide slot whose writes are made legal by `legal`. */
const slot =
  (offset: number, legal: (b: Block, value: Value, old: Value) => Value): Emit =>
  (b, { update, rd, operand, writes }) => {
    const old = b.slot(offset);
    if (writes) b.setSlot(offset, legal(b, updated(b, update, old, operand), old));
    b.setX(rd, old);
    return true;
  };

/** xepc: IALIGN decides how many low bits are zero. */
const exceptionPc = (offset: number): Emit => slot(offset, (b, v) => b.ir.andI(v, b.hart.ext.c ? -2 : -4));

/** xtvec: a mode above 1 leaves the register as it was. */
const vector = (offset: number): Emit => slot(offset, (b, v, old) => b.ir.movcond("tsteq", v, b.imm(2), v, old));

/** mie, and its view sie. */
const enables =
  (view: "m" | "s"): Emit =>
  (b, { update, rd, operand, writes }) => {
    const { ir } = b;
    const old = ir.envLd("i32", "u32", OFF.mie);
    const mask =
      view === "s"
        ? ir.envLd("i32", "u32", OFF.mideleg)
        : ir.const32(b.hart.ext.s ? M_INTERRUPTS | S_INTERRUPTS : M_INTERRUPTS);
    const seen = view === "s" ? ir.and(old, mask) : old;
    if (writes) {
      const value = updated(b, update, seen, low(b, operand));
      ir.envSt("u32", OFF.mie, ir.or(ir.andc(old, mask), ir.and(value, mask)));
    }
    b.setX(rd, wide(b, seen));
    if (writes && update !== "clear") endMasked(b);
    return true;
  };

/** mip, and its view sip, of which S-mode writes SSIP alone. */
const pending =
  (view: "m" | "s"): Emit =>
  (b, { update, rd, operand, writes }) => {
    if (view === "m" && writes) return false;
    const { ir } = b;
    const soft = ir.envLd("i32", "u32", OFF.mipSoft);
    const all = ir.or(soft, ir.envLd("i32", "u32", OFF.irqLines));
    const delegated = ir.envLd("i32", "u32", OFF.mideleg);
    const seen = view === "s" ? ir.and(all, delegated) : all;
    if (writes) {
      const mask = ir.andI(delegated, 1 << IRQ.SSI);
      const value = updated(b, update, seen, low(b, operand));
      ir.envSt("u32", OFF.mipSoft, ir.or(ir.andc(soft, mask), ir.and(value, mask)));
    }
    b.setX(rd, wide(b, seen));
    if (writes && update !== "clear") endMasked(b);
    return true;
  };

/** mstatus or sstatus as software reads it. */
function statusValue(b: Block, view: "m" | "s", mstatus: Value): Value {
  const { ir } = b;
  const { ext } = b.hart;
  const word = view === "s" ? ir.andI(mstatus, SSTATUS) : mstatus;
  const dirty = b.fs === FS.DIRTY ? 2 ** 31 : 0;
  if (!b.rv64) return dirty === 0 ? word : ir.orI(word, dirty | 0);
  const high = (ext.u ? 2 : 0) + (view === "m" && ext.s ? 8 : 0) + dirty;
  return high === 0 ? ir.extuI32(word) : ir.or(ir.extuI32(word), ir.const64(BigInt(high) << 32n));
}

/** tbFlags under a new mstatus, in S-mode, or in M-mode with MPRV clear. */
function statusFlags(b: Block, mstatus: Value): Value {
  const { ir } = b;
  const frm = ir.andI(ir.get("tbflags"), 7 << FLAGS.frmShift);
  const fs = ir.andI(ir.shrI(mstatus, FS_TO_FLAGS), 3 << FLAGS.fsShift);
  const mode = b.priv === PRIV.S ? supervisorFlags(b, mstatus) : ir.const32(PRIV.M | (PRIV.M << FLAGS.mmuShift));
  return ir.or(ir.or(frm, fs), mode);
}

/**
 * Leaves after a write that may have changed tbFlags: along the chain when it did not, else through the jump cache.
 * `enabled`: it may have enabled interrupts.
 */
function endFlags(b: Block, flags: Value, enabled: boolean): void {
  const { ir } = b;
  const old = ir.get("tbflags");
  ir.set("tbflags", flags);
  ir.set("pc", b.address(b.length));
  const same = ir.label();
  if (enabled) lookAtInterrupts(b);
  ir.brcond("eq", flags, old, same);
  ir.gotoPtr("none");
  ir.place(same);
  b.jump(0, b.length);
  b.ctx.done = true;
}

/** mstatus and sstatus. What changes MXR, or has to do with MPRV, is left to the helper. */
const status =
  (view: "m" | "s"): Emit =>
  (b, { update, rd, operand, known, writes }) => {
    const { ir, hart } = b;
    const { ext } = hart;
    if (!ext.s || !ext.u) return false;
    const old = ir.get("mstatus");
    const shown = statusValue(b, view, old);
    if (!writes) {
      b.setX(rd, shown);
      return true;
    }
    const mask = mstatusMask(hart) & (view === "s" ? SSTATUS : -1);
    const touched = known !== undefined && update !== "write" ? mask & known : mask;
    const bits = known === undefined ? ir.andI(low(b, operand), mask) : ir.const32(known & mask);
    let now: Value;
    if (update === "write") now = ir.or(ir.andI(old, ~mask), bits);
    else now = update === "set" ? ir.or(old, bits) : ir.andc(old, bits);
    if (touched & MSTATUS.MPP) {
      // WARL: mode 2 does not exist.
      const kept = ir.or(ir.andI(now, ~MSTATUS.MPP), ir.andI(old, MSTATUS.MPP));
      now = ir.movcond("eq", ir.andI(now, MSTATUS.MPP), ir.const32(2 << 11), kept, now);
    }
    const changesFlags = (touched & (FLAG_BITS | (b.priv === PRIV.M ? MSTATUS.MPP : 0))) !== 0;
    const enabled = update !== "clear" && (touched & ENABLES) !== 0;
    if (!changesFlags) {
      ir.set("mstatus", now);
      b.setX(rd, shown);
      if (enabled) endMasked(b);
      return true;
    }
    const rare = ir.andI(ir.xor(now, old), MSTATUS.MXR);
    const slow = b.priv === PRIV.M ? ir.or(rare, ir.andI(ir.or(now, old), MSTATUS.MPRV)) : rare;
    b.when("ne", slow, ir.const32(0), () => {
      b.setX(rd, ir.call("csr", ir.const32(b.bits), operand));
      ir.set("pc", b.address(b.length));
      ir.gotoPtr("barrier");
    });
    const flags = statusFlags(b, now);
    ir.set("mstatus", now);
    b.setX(rd, shown);
    endFlags(b, flags, enabled);
    return true;
  };

/** The accrued exceptions. Source: Unprivileged 20191213, 11.2. */
const fflags: Emit = (b, { update, rd, operand, writes }) => {
  if (!b.hart.ext.f || b.fs === FS.OFF) return false;
  const { ir } = b;
  const old = ir.andI(ir.get("fp_flags"), 31);
  if (writes) {
    ir.set("fp_flags", ir.andI(updated(b, update, old, low(b, operand)), 31));
    b.fpDirty();
  }
  b.setX(rd, wide(b, old));
  return true;
};

/** By CSR number. */
export const INLINE_CSRS: ReadonlyMap<number, Emit> = new Map<number, Emit>([
  [0x001, fflags],
  [0x100, status("s")],
  [0x104, enables("s")],
  [0x105, vector(OFF.stvec)],
  [0x141, exceptionPc(OFF.sepc)],
  [0x144, pending("s")],
  [0x300, status("m")],
  [0x304, enables("m")],
  [0x305, vector(OFF.mtvec)],
  [0x341, exceptionPc(OFF.mepc)],
  [0x344, pending("m")],
]);
