/**
 * Traps in translated code: ECALL enters its handler and MRET and SRET return without the run loop.
 * Source: Privileged 20211203, 3.1.6–3.1.8, 3.3.1, 3.3.2.
 */
import type { Value } from "@mimus/tcg";
import { EXC, MSTATUS, PRIV } from "../constants.ts";
import { FLAGS, OFF } from "../state.ts";
import type { Block } from "./block.ts";

/** The bits of tbFlags that follow from privilege, MPRV and SUM. */
const MODE_FLAGS = 0x1f;
const M_FLAGS: number = PRIV.M | (PRIV.M << FLAGS.mmuShift);
const S_FLAGS: number = PRIV.S | (PRIV.S << FLAGS.mmuShift);
/** What SUM adds to the flags of S-mode: its data accesses have mmu index 2. */
const SUM_FLAG: number = 1 << FLAGS.mmuShift;
const SUM_SHIFT: number = 18 - FLAGS.mmuShift;

/** Flags of S-mode under an mstatus. */
export function supervisorFlags(b: Block, mstatus: Value): Value {
  const { ir } = b;
  return ir.addI(ir.andI(ir.shrI(mstatus, SUM_SHIFT), SUM_FLAG), S_FLAGS);
}

/** Sets the mode's part of tbFlags. */
function setModeFlags(b: Block, flags: Value): void {
  const { ir } = b;
  ir.set("tbflags", ir.or(ir.andI(ir.get("tbflags"), ~MODE_FLAGS), flags));
}

/** Bits pending in mip, and enabled in mie. */
function pendingEnabled(b: Block): Value {
  const { ir } = b;
  const pending = ir.or(ir.envLd("i32", "u32", OFF.irqLines), ir.envLd("i32", "u32", OFF.mipSoft));
  return ir.and(pending, ir.envLd("i32", "u32", OFF.mie));
}

/** Leaves to the run loop, which takes interrupts, when one is pending and enabled in mie; pc is set. Else goes on. */
export function lookAtInterrupts(b: Block): void {
  const { ir } = b;
  const none = ir.label();
  ir.brcondI("eq", pendingEnabled(b), 0, none);
  ir.exit("next");
  ir.place(none);
}

/** A new privilege level that is known. */
function setPriv(b: Block, priv: number): void {
  if (priv === b.priv) return;
  b.ir.envSt("u32", OFF.priv, b.ir.const32(priv));
  b.ir.set("res_addr", b.imm(-1));
}

/** Enters M-mode's handler. */
function enterMachine(b: Block, cause: number): void {
  const { ir, priv } = b;
  const old = ir.get("mstatus");
  const cleared = ir.andI(old, ~(MSTATUS.MIE | MSTATUS.MPIE | MSTATUS.MPP));
  ir.set("mstatus", ir.orI(ir.or(cleared, ir.shlI(ir.andI(old, MSTATUS.MIE), 4)), priv << 11));
  b.setSlot(OFF.mepc, b.address(0));
  ir.set("mcause", b.imm(cause));
  ir.set("mtval", b.imm(0));
  if (priv === PRIV.M) setModeFlags(b, ir.const32(M_FLAGS));
  else {
    // With MPRV, data accesses go on with the rights of the mode that was left: that is MPP now.
    const data =
      priv === PRIV.S ? ir.addI(ir.andI(ir.shrI(old, SUM_SHIFT), SUM_FLAG), S_FLAGS & ~7) : ir.const32(PRIV.U);
    const borrowed = ir.orI(data, PRIV.M);
    const mprv = ir.andI(old, MSTATUS.MPRV);
    setModeFlags(b, ir.movcond("ne", mprv, ir.const32(0), borrowed, ir.const32(M_FLAGS)));
  }
  setPriv(b, PRIV.M);
  ir.set("pc", ir.andI(b.slot(OFF.mtvec), ~3));
  ir.gotoPtr("none");
}

/** Enters S-mode's handler. */
function enterSupervisor(b: Block, cause: number): void {
  const { ir, priv } = b;
  const old = ir.get("mstatus");
  const cleared = ir.andI(old, ~(MSTATUS.SIE | MSTATUS.SPIE | MSTATUS.SPP));
  const now = ir.or(cleared, ir.shlI(ir.andI(old, MSTATUS.SIE), 4));
  ir.set("mstatus", priv === PRIV.S ? ir.orI(now, MSTATUS.SPP) : now);
  b.setSlot(OFF.sepc, b.address(0));
  ir.set("scause", b.imm(cause));
  ir.set("stval", b.imm(0));
  if (priv !== PRIV.S) setModeFlags(b, supervisorFlags(b, old));
  setPriv(b, PRIV.S);
  ir.set("pc", ir.andI(b.slot(OFF.stvec), ~3));
  ir.gotoPtr("none");
}

/** ECALL: to S-mode when medeleg says so, else to M-mode. Entering a handler enables no interrupt. */
export function enterEcall(b: Block): void {
  const { ir, priv } = b;
  const cause = EXC.ECALL_U + priv;
  b.ctx.done = true;
  if (priv === PRIV.M || !b.hart.ext.s) return enterMachine(b, cause);
  const machine = ir.label();
  ir.brcondI("eq", ir.andI(ir.envLd("i32", "u32", OFF.medeleg), 1 << cause), 0, machine);
  enterSupervisor(b, cause);
  ir.place(machine);
  enterMachine(b, cause);
}

/** MRET. */
export function returnMachine(b: Block): void {
  const { ir, hart } = b;
  if (b.priv !== PRIV.M) return b.illegal();
  const old = ir.get("mstatus");
  const to = ir.extract(old, 11, 2);
  const cleared = ir.andI(old, ~(MSTATUS.MIE | MSTATUS.MPP));
  let now = ir.orI(ir.or(cleared, ir.andI(ir.shrI(old, 4), MSTATUS.MIE)), MSTATUS.MPIE);
  if (!hart.ext.u) now = ir.orI(now, MSTATUS.MPP);
  const machine = ir.const32(PRIV.M);
  if (hart.priv >= 12) now = ir.movcond("eq", to, machine, now, ir.andI(now, ~MSTATUS.MPRV));
  ir.set("mstatus", now);
  // Back in M-mode MPRV still counts; MPP is now the least mode there is.
  const data = hart.ext.u ? ir.const32(PRIV.M) : ir.const32(M_FLAGS);
  const inMachine = ir.movcond("ne", ir.andI(now, MSTATUS.MPRV), ir.const32(0), data, ir.const32(M_FLAGS));
  const below = ir.movcond("eq", to, ir.const32(PRIV.S), supervisorFlags(b, now), ir.const32(PRIV.U));
  setModeFlags(b, ir.movcond("eq", to, machine, inMachine, below));
  ir.envSt("u32", OFF.priv, to);
  const wide = b.rv64 ? ir.extuI32(to) : to;
  ir.set("res_addr", ir.movcond("eq", wide, b.imm(PRIV.M), ir.get("res_addr"), b.imm(-1)));
  leave(b, OFF.mepc);
}

/** SRET: illegal in U-mode, and in S-mode while mstatus.TSR is set. */
export function returnSupervisor(b: Block): void {
  const { ir, hart, priv } = b;
  if (!hart.ext.s || priv < PRIV.S) return b.illegal();
  const old = ir.get("mstatus");
  if (priv === PRIV.S) b.when("tstne", old, ir.const32(MSTATUS.TSR), () => b.illegal());
  const cleared = ir.andI(old, ~(MSTATUS.SIE | MSTATUS.SPP | (hart.priv >= 12 ? MSTATUS.MPRV : 0)));
  const now = ir.orI(ir.or(cleared, ir.andI(ir.shrI(old, 4), MSTATUS.SIE)), MSTATUS.SPIE);
  ir.set("mstatus", now);
  const to = ir.extract(old, 8, 1);
  setModeFlags(b, ir.movcond("ne", to, ir.const32(PRIV.U), supervisorFlags(b, now), ir.const32(PRIV.U)));
  ir.envSt("u32", OFF.priv, to);
  const wide = b.rv64 ? ir.extuI32(to) : to;
  ir.set("res_addr", ir.movcond("eq", wide, b.imm(priv), ir.get("res_addr"), b.imm(-1)));
  leave(b, OFF.sepc);
}

/** Goes on at a saved program counter, in the new mode. */
function leave(b: Block, epc: number): void {
  b.ir.set("pc", b.slot(epc));
  lookAtInterrupts(b);
  b.ir.gotoPtr("none");
  b.ctx.done = true;
}
