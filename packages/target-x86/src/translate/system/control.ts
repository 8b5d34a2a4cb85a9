/** Flags, control and debug registers, MSRs, waiting. Source: Intel SDM volume 2 (2023). */
import { ENV, type Value } from "@mimus/tcg";
import { OPERAND, type Insn } from "../../insn.ts";
import { FLAG, HF, OFF, PENDING, REG, SEG, SEG_FIELD, segOffset } from "../../state.ts";
import { CR0, CR4 } from "../../system/bits.ts";
import type { Translate, Tx } from "../tx.ts";

/** CLI and STI: IF where IOPL allows it; VIF with VME in virtual-8086 mode and PVI at CPL 3. */
function interruptFlag(t: Tx): "if" | "refused" {
  if ((t.flags & HF.pe) === 0) return "if";
  if ((t.flags & HF.vm) !== 0) return t.iopl === 3 ? "if" : "refused";
  return t.cpl <= t.iopl ? "if" : "refused";
}

const cli: Translate = (t) => {
  const { ir } = t;
  if (interruptFlag(t) === "refused") return virtualFlag(t, false);
  ir.set("eflags", ir.andI(ir.get("eflags"), ~FLAG.if));
};

/** VIF stands in for IF where IOPL forbids it. Source: SDM volume 3B, 21.3.2. */
function virtualFlag(t: Tx, on: boolean): void {
  t.call("virtual_if", t.ir.const32(on ? 1 : 0));
}

/** What may follow STI at once and must not be parted from it: HLT, IRET, SYSEXIT, MONITOR and MWAIT. */
function mustFollow(t: Tx, i: Insn): boolean {
  const { ctx } = t;
  const at = ctx.at + i.length;
  if (at >= ctx.pageEnd) return true;
  const next = ctx.u8(at);
  if (next !== 0x0f) return next < 0 || next === 0xf4 || next === 0xcf;
  if (at + 1 >= ctx.pageEnd) return true;
  const second = ctx.u8(at + 1);
  return second < 0 || second === 0x01 || second === 0x35;
}

/**
 * While nothing is pending no shadow is needed: interrupts come between blocks, and the next instruction stands in this
 * one, unless the block must end here.
 */
const sti: Translate = (t, i) => {
  const { ir } = t;
  if (interruptFlag(t) === "refused") return virtualFlag(t, true);
  ir.set("eflags", ir.orI(ir.get("eflags"), FLAG.if));
  if (mustFollow(t, i)) {
    ir.set("tbflags", ir.orI(ir.get("tbflags"), HF.shadow));
    return t.endToLookup();
  }
  t.rarely("tstne", ir.envLd("i32", "u32", OFF.pending), ir.const32(PENDING.intr), () => {
    ir.set("tbflags", ir.orI(ir.get("tbflags"), HF.shadow));
    t.jumpTo(t.pcNext(), "barrier");
  });
};

/** EFLAGS.AC, which SMAP looks at: the TLB of data accesses changes. */
const alignFlag =
  (on: boolean): Translate =>
  (t) => {
    const { ir } = t;
    if (t.cpl !== 0) return t.ud();
    const flags = ir.get("eflags");
    ir.set("eflags", on ? ir.orI(flags, FLAG.ac) : ir.andI(flags, ~FLAG.ac));
    t.call("update_flags");
    t.endToLookup();
  };

const hlt: Translate = (t) => {
  const { ir } = t;
  ir.envSt("u32", ENV.halted, ir.const32(1));
  t.endToLoop("halt");
};

const invlpg: Translate = (t, i) => {
  t.call("invlpg", t.linear(i, 0, "r"));
  t.endToLookup();
};

const clts: Translate = (t) => {
  const { ir } = t;
  ir.envSt("u32", OFF.cr0, ir.andI(ir.envLd("i32", "u32", OFF.cr0), ~CR0.TS));
  ir.set("tbflags", ir.andI(ir.get("tbflags"), ~HF.ts));
  t.endToLookup();
};

const CR_SLOT: Readonly<Record<number, number>> = { 0: OFF.cr0, 2: OFF.cr2, 3: OFF.cr3, 4: OFF.cr4 };

/** A slot of the state block as wide as a register. */
function slot(t: Tx, offset: number): Value {
  return t.ir.envLd(t.type, t.word === 64 ? "u64" : "u32", offset);
}

const readcr: Translate = (t, i) => {
  const [to, from] = i.operands;
  const n = i.lock && from.n === 0 ? 8 : from.n;
  if (n === 8) return t.setReg(to.n, to.size, widen(t, t.call("read_cr8"), to.size));
  const offset = CR_SLOT[n];
  if (offset === undefined) return t.ud();
  t.setReg(to.n, to.size, to.size === 8 ? slot(t, offset) : t.ir.envLd("i32", "u32", offset));
};

function widen(t: Tx, v: Value, size: number): Value {
  return size === 8 ? t.ir.extuI32(v) : v;
}

const writecr: Translate = (t, i) => {
  const [to, from] = i.operands;
  const v = t.toWord(t.reg(from.n, from.size));
  if (to.n === 8) {
    t.call("write_cr8", v);
    return t.endToLoop();
  }
  if (CR_SLOT[to.n] === undefined) return t.ud();
  t.call("write_cr", t.ir.const32(to.n), v);
  t.endToLookup();
};

const readdr: Translate = (t, i) => {
  const [to, from] = i.operands;
  const v = t.call("read_dr", t.ir.const32(from.n));
  t.setReg(to.n, to.size, to.size === 8 ? v : t.ir.extrl(v));
};

const writedr: Translate = (t, i) => {
  const [to, from] = i.operands;
  t.call("write_dr", t.ir.const32(to.n), t.toWord(t.reg(from.n, from.size)));
  t.endToLoop();
};

/** #GP(0) above CPL 0 with CR4.UMIP. Source: SDM volume 3A, 2.5. */
function userMayLook(t: Tx): void {
  const { ir } = t;
  if (t.cpl === 0 || !t.has("umip")) return;
  t.rarely("tstne", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4.UMIP), () => t.raise(13, 0));
}

const storeSelector =
  (n: number): Translate =>
  (t) => {
    userMayLook(t);
    storeWord(t, t.ir.envLd("i32", "u32", segOffset(n) + SEG_FIELD.selector));
  };

/** A register takes all of its operand size, memory two bytes. */
function storeWord(t: Tx, v: Value): void {
  const o = t.i.operands[0];
  if (o.kind === OPERAND.reg) t.setReg(o.n, o.size, widen(t, v, o.size));
  else t.store("u16", t.address(0, "w"), v);
}

const smsw: Translate = (t) => {
  userMayLook(t);
  storeWord(t, t.ir.envLd("i32", "u32", OFF.cr0));
};

const lmsw: Translate = (t) => {
  t.call("lmsw", t.read(0, 2));
  t.endToLookup();
};

const lldt: Translate = (t) => void t.call("load_ldt", t.read(0, 2));
const ltr: Translate = (t) => void t.call("load_task", t.read(0, 2));

/** Limit in two bytes, base in four or eight. */
function storeTable(t: Tx, i: Insn, base: number, limit: number): void {
  const { ir } = t;
  userMayLook(t);
  const wide = t.code === 64;
  const at = t.linear(i, wide ? 10 : 6, "w");
  t.store("u16", at, ir.envLd("i32", "u32", limit));
  const next = t.cut(ir.addI(at, 2), wide ? 8 : 4);
  if (wide) t.store("u64", next, ir.envLd("i64", "u64", base));
  else t.store("u32", next, ir.envLd("i32", "u32", base));
}

/** With an operand size of 16 bits the base has 24. */
function loadTable(t: Tx, i: Insn, base: number, limit: number): void {
  const { ir } = t;
  const wide = t.code === 64;
  const at = t.linear(i, wide ? 10 : 6, "r");
  const newLimit = t.load("u16", at);
  const next = t.cut(ir.addI(at, 2), wide ? 8 : 4);
  if (wide) ir.envSt("u64", base, t.load("u64", next));
  else {
    const v = t.load("u32", next);
    ir.envSt("u64", base, ir.extuI32(i.opSize === 2 ? ir.andI(v, 0xffffff) : v));
  }
  ir.envSt("u32", limit, newLimit);
}

const sgdt: Translate = (t, i) => storeTable(t, i, OFF.gdtBase, OFF.gdtLimit);
const sidt: Translate = (t, i) => storeTable(t, i, OFF.idtBase, OFF.idtLimit);
const lgdt: Translate = (t, i) => loadTable(t, i, OFF.gdtBase, OFF.gdtLimit);
const lidt: Translate = (t, i) => loadTable(t, i, OFF.idtBase, OFF.idtLimit);

/** ZF says whether; the other flags stay. `flags`: all of them, asked for before anything changed. */
function setZero(t: Tx, flags: Value, zero: Value): void {
  const { ir } = t;
  t.setFlagBits(ir.or(ir.andI(flags, ~FLAG.zf), ir.shlI(zero, 6)));
}

const verify =
  (writing: 0 | 1): Translate =>
  (t) => {
    const flags = t.eflagsValue();
    const { ir } = t;
    const selector = t.read(0, 2);
    const op = ir.const32(writing);
    const known = ir.label();
    const seen = t.call("verify_fast", selector, op);
    ir.envSt("u32", ENV.scratch, seen);
    ir.brcondI("ge", seen, 0, known);
    ir.envSt("u32", ENV.scratch, t.call("verify", selector, op));
    ir.place(known);
    setZero(t, flags, ir.envLd("i32", "u32", ENV.scratch));
  };

const lar: Translate = (t, i) => {
  const { ir } = t;
  const flags = t.eflagsValue();
  const rights = t.call("access_rights", t.read(1, 2));
  const seen = ir.setcondI("ge", rights, 0);
  keepUnless(t, i.operands[0], rights, seen);
  setZero(t, flags, seen);
};

const lsl: Translate = (t, i) => {
  const flags = t.eflagsValue();
  const seen = t.call("segment_limit", t.read(1, 2));
  keepUnless(t, i.operands[0], t.call("segment_limit_value"), seen);
  setZero(t, flags, seen);
};

/** Writes a register if `seen` is 1. */
function keepUnless(t: Tx, o: Insn["operands"][0], v: Value, seen: Value): void {
  const { ir } = t;
  const value = widen(t, v, o.size);
  const old = t.reg(o.n, o.size);
  const test = o.size === 8 ? ir.extuI32(seen) : seen;
  const zero = ir.constant(o.size === 8 ? "i64" : "i32", 0);
  const next = ir.movcond("ne", test, zero, value, old);
  t.setReg(o.n, o.size, next);
}

/** RPL of the first selector rises to that of the second. */
const arpl: Translate = (t, i) => {
  const { ir } = t;
  const flags = t.eflagsValue();
  const rpl = ir.andI(t.reg(i.operands[1].n, 2), 3);
  const old = t.read(0, 2);
  const less = ir.setcond("ltu", ir.andI(old, 3), rpl);
  const next = ir.movcond("ne", less, ir.const32(0), ir.or(ir.andI(old, 0xfffc), rpl), old);
  t.write(0, next);
  setZero(t, flags, less);
};

const rdmsr: Translate = (t) => void t.call("rdmsr");
const wrmsr: Translate = (t) => {
  t.call("wrmsr");
  t.endToLoop();
};

/** CR4.TSD keeps programs from the time stamp counter. */
function timeVisible(t: Tx): void {
  const { ir } = t;
  if (t.cpl === 0) return;
  t.rarely("tstne", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4.TSD), () => t.raise(13, 0));
}

function setPair(t: Tx, v: Value): void {
  const { ir } = t;
  t.setReg(REG.ax, 4, ir.extrl(v));
  t.setReg(REG.dx, 4, ir.extrh(v));
}

const rdtsc: Translate = (t) => {
  timeVisible(t);
  setPair(t, t.call("rdtsc"));
};
const rdtscp: Translate = (t) => {
  timeVisible(t);
  setPair(t, t.call("rdtsc"));
  t.setReg(REG.cx, 4, t.ir.envLd("i32", "u32", OFF.tscAux));
};
const rdpid: Translate = (t, i) => {
  const { n, size } = i.operands[0];
  const v = t.ir.envLd("i32", "u32", OFF.tscAux);
  t.setReg(n, size, widen(t, v, size));
};

/** No counter is there but those of fixed meaning, which nobody may read unless CR4.PCE: #GP(0). */
const rdpmc: Translate = (t) => {
  t.raise(13, 0);
  t.ctx.done = true;
};

const cpuid: Translate = (t) => {
  const { ir } = t;
  const known = ir.label();
  ir.brcondI("ne", t.call("cpuid_fast"), 0, known);
  t.call("cpuid");
  ir.place(known);
};

const needXsave = (t: Tx): void => {
  const { ir } = t;
  t.rarely("tsteq", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4.OSXSAVE), () => t.raise(6));
};

const xgetbv: Translate = (t) => {
  const { ir } = t;
  needXsave(t);
  t.rarely("ne", t.reg(REG.cx, 4), ir.const32(0), () => t.raise(13, 0));
  t.setReg(REG.ax, 4, ir.envLd("i32", "u32", OFF.xcr0));
  t.setReg(REG.dx, 4, ir.envLd("i32", "u32", OFF.xcr0 + 4));
};
const xsetbv: Translate = (t) => {
  needXsave(t);
  t.call("xsetbv");
  t.endToLookup();
};

const needPke = (t: Tx): void => {
  const { ir } = t;
  t.rarely("tsteq", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4.PKE), () => t.raise(6));
  t.rarely("ne", t.reg(REG.cx, 4), ir.const32(0), () => t.raise(13, 0));
};
const rdpkru: Translate = (t) => {
  needPke(t);
  t.setReg(REG.ax, 4, t.ir.envLd("i32", "u32", OFF.pkru));
  t.setReg(REG.dx, 4, t.ir.const32(0));
};
const wrpkru: Translate = (t) => {
  needPke(t);
  t.rarely("ne", t.reg(REG.dx, 4), t.ir.const32(0), () => t.raise(13, 0));
  t.call("write_pkru", t.reg(REG.ax, 4));
};

const invpcid: Translate = (t, i) => {
  const o = i.operands[0];
  t.call("invpcid", t.toWord(t.reg(o.n, o.size)), t.linear(i, 16, "r"));
  t.endToLookup();
};

/** The address is touched like a byte that is read. */
const monitor: Translate = (t, i) => {
  const { ir } = t;
  if (t.cpl !== 0) return t.ud();
  t.rarely("ne", t.reg(REG.cx, 4), ir.const32(0), () => t.raise(13, 0));
  const seg = i.segment < 0 ? SEG.ds : i.segment;
  const at = t.segAddress(seg, t.addressReg(REG.ax, i.adSize), 1, "r");
  t.load("u8", at);
  ir.envSt("u32", OFF.monitorArmed, ir.const32(1));
};

/** Any event may end the wait, and other CPUs may write what is watched: a turn for them, then on. */
const mwait: Translate = (t) => {
  if (t.cpl !== 0) return t.ud();
  const { ir } = t;
  t.rarely("ne", ir.andI(t.reg(REG.cx, 4), ~1), ir.const32(0), () => t.raise(13, 0));
  ir.envSt("u32", OFF.monitorArmed, ir.const32(0));
  t.call("mwait");
  t.endToLoop("halt");
};

const rsm: Translate = (t) => {
  t.call("rsm");
  t.endAtPc("loop");
};

const nothing: Translate = () => {};
const undefinedOp: Translate = (t) => t.ud();

/** Translators of control registers and what is like them. */
export const control = {
  cli, sti, hlt, invlpg, clts, readcr, writecr, readdr, writedr, smsw, lmsw, lldt, ltr, sgdt, sidt, lgdt, lidt,
  lar, lsl, arpl, rdmsr, wrmsr, rdtsc, rdtscp, rdpid, rdpmc, cpuid, xgetbv, xsetbv, rdpkru, wrpkru, invpcid,
  monitor, mwait, rsm,
  clac: alignFlag(false),
  stac: alignFlag(true),
  sldt: storeSelector(SEG.ldtr),
  str: storeSelector(SEG.tr),
  verr: verify(0),
  verw: verify(1),
  invd: nothing,
  wbinvd: nothing,
  ud0: undefinedOp,
  ud1: undefinedOp,
  ud2: undefinedOp,
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
