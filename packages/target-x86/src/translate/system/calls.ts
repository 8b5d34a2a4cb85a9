/** System calls and the bases of FS and GS. Source: Intel SDM volume 2 (2023). */
import type { Cond, Value } from "@mimus/tcg";
import { FLAG, HF, MMU, OFF, PENDING, REG, SEG, SEG_FIELD, SEG_NAMES, segOffset } from "../../state.ts";
import { CR4, EFER } from "../../system/bits.ts";
import { peek, setStack, stackOffset } from "../stack.ts";
import { stackOps } from "../stack-ops.ts";
import type { Translate, Tx } from "../tx.ts";
import { endWithInterrupts } from "./end.ts";

/** Attributes of the segments that these instructions load: flat, accessed; 64-bit and 32-bit code. */
const CODE = 0xaf9b00;
const CODE32 = 0xcf9b00;
const DATA = 0xcf9300;
const DPL3 = 0x6000;
/** What of tbFlags a change of privilege does not touch. */
const STAYS: number = HF.pe | (0x7f << 17) | HF.breakpoints | HF.x87Fast;

/** CS and SS become flat segments with the selectors (i32). */
function flatSegments(t: Tx, cs: Value, ss: Value, dpl: number, code: number = CODE): void {
  const { ir } = t;
  const set = (n: number, selector: Value, attr: number): void => {
    const at = segOffset(n);
    ir.envSt("u32", at + SEG_FIELD.selector, selector);
    ir.envSt("u32", at + SEG_FIELD.limit, ir.const32(-1));
    ir.envSt("u32", at + SEG_FIELD.attr, ir.const32(attr | dpl));
    ir.set(`${SEG_NAMES[n]!}_base`, t.word === 64 ? ir.const64(0n) : ir.const32(0));
  };
  set(SEG.cs, cs, code);
  set(SEG.ss, ss, DATA);
  ir.envSt("u32", OFF.cpl, ir.const32(dpl === 0 ? 0 : 3));
}

/** EFLAGS and what of tbFlags follows from it and the privilege level; AC is clear. */
function setFlags(t: Tx, flags: Value, level: number): void {
  const { ir } = t;
  t.setFlagBits(flags);
  ir.set("eflags", ir.orI(ir.andI(flags, 0x3f7300), 2));
  ir.set("df", ir.orI(ir.negsetcond("tstne", flags, ir.const32(FLAG.df)), 1));
  const steady = ir.orI(ir.andI(ir.get("tbflags"), STAYS), (2 << HF.codeShift) | level);
  const iopl = ir.shlI(ir.andI(flags, FLAG.iopl), HF.ioplShift - 12);
  const tf = ir.shlI(ir.andI(flags, FLAG.tf), 7);
  ir.set("tbflags", ir.or(steady, ir.or(iopl, tf)));
}

/** All of EFLAGS, i32. */
function allFlags(t: Tx): Value {
  const { ir } = t;
  return ir.or(ir.or(ir.get("eflags"), ir.andI(ir.get("df"), FLAG.df)), t.eflagsValue());
}

/**
 * Goes on behind the call of a helper, which does what the code that follows this does not: when `cond` holds between a
 * and b. The flags are in the state block.
 */
function unless(t: Tx, refused: readonly (readonly [Cond, Value, Value])[], helper: () => void): void {
  const { ir } = t;
  const slow = ir.label();
  const fast = ir.label();
  t.flushFlags();
  for (const [cond, a, b] of refused) ir.brcond(cond, a, b, slow, true);
  ir.br(fast);
  ir.place(slow);
  helper();
  ir.place(fast);
}

/** From 64-bit code with AC masked or clear it is done here; a helper does the others. */
const syscall: Translate = (t) => {
  const { ir } = t;
  const helper = (): void => {
    ir.set("pc", t.pcNext());
    t.flushFlags();
    ir.call("syscall");
    t.endAtPc("lookup");
  };
  if (t.code !== 64) return helper();
  const old = ir.andI(allFlags(t), ~FLAG.rf);
  const flags = ir.andc(old, ir.envLd("i32", "u32", OFF.fmask));
  const refused: [Cond, Value, Value][] = [
    ["tsteq", ir.envLd("i32", "u32", OFF.efer), ir.const32(EFER.SCE)],
    ["tstne", flags, ir.const32(FLAG.ac)],
  ];
  unless(t, refused, helper);
  t.setWordReg(REG.cx, t.pcNext());
  t.setWordReg(11, ir.extuI32(old));
  setFlags(t, flags, 0);
  const cs = ir.andI(ir.envLd("i32", "u32", OFF.star + 4), 0xfffc);
  flatSegments(t, cs, ir.addI(cs, 8), 0);
  t.jumpTo(ir.envLd("i64", "u64", OFF.lstar), "barrier");
  t.ctx.done = true;
};

const sysret: Translate = (t, i) => {
  const { ir } = t;
  const wide = i.opSize === 8;
  const helper = (): void => {
    t.flushFlags();
    ir.call("sysret", ir.const32(wide ? 1 : 0));
    endWithInterrupts(t);
  };
  if (!wide || t.code !== 64) return helper();
  const target = t.wordReg(REG.cx);
  const flags = ir.orI(ir.andI(t.reg(11, 4), 0x3c7fd7), 2);
  const refused: [Cond, Value, Value][] = [
    ["tsteq", ir.envLd("i32", "u32", OFF.efer), ir.const32(EFER.SCE)],
    ["ne", ir.sextract(target, 0, 48), target],
    ["tstne", flags, ir.const32(FLAG.ac)],
  ];
  unless(t, refused, helper);
  setFlags(t, flags, (3 << HF.cplShift) | MMU.user);
  const base = ir.shrI(ir.envLd("i32", "u32", OFF.star + 4), 16);
  flatSegments(t, ir.orI(ir.addI(base, 16), 3), ir.orI(ir.addI(base, 8), 3), DPL3);
  ir.set("pc", target);
  endWithInterrupts(t);
};

/** System bits of EFLAGS that POPF may change besides IF. */
const OTHERS: number = FLAG.tf | FLAG.nt | FLAG.ac | FLAG.id;

/** POPF that changes neither TF, NT, AC, ID nor IOPL stays in the block. */
export const popf: Translate = (t, i) => {
  const { ir } = t;
  if ((t.flags & HF.vm) !== 0 || i.opSize === 2) return stackOps.popf(t, i);
  const v = t.low(peek(t, i.opSize));
  setStack(t, stackOffset(t, i.opSize));
  const system = OTHERS | (t.cpl === 0 ? FLAG.iopl : 0);
  const mayIf = (t.flags & HF.pe) === 0 || t.cpl <= t.iopl;
  unless(t, [["tstne", ir.xor(v, ir.get("eflags")), ir.const32(system)]], () => {
    ir.call("popf", v, ir.const32(i.opSize));
    t.endToLoop();
    t.ctx.done = false;
  });
  t.setFlagBits(v);
  ir.set("df", ir.orI(ir.negsetcond("tstne", v, ir.const32(FLAG.df)), 1));
  if (!mayIf) return;
  ir.set("eflags", ir.or(ir.andI(ir.get("eflags"), ~FLAG.if), ir.andI(v, FLAG.if)));
  const wanted = ir.and(ir.shrI(v, 9), ir.envLd("i32", "u32", OFF.pending));
  t.rarely("tstne", wanted, ir.const32(PENDING.intr), () => {
    t.lazy.store();
    ir.set("pc", t.pcNext());
    ir.exit("next");
  });
};

/** What must not be set for the two below to be done here: they leave ES and DS as they are, and TF. */
const NOT_FLAT: number = HF.addSeg | HF.checkSeg | HF.vm | HF.tf | HF.breakpoints;

/**
 * 32-bit code outside long mode, all segments flat, with AC clear: what follows goes on behind the helper's call in all other cases.
 * @returns the selector that the others are counted from
 */
function flat32(t: Tx, helper: () => void): Value | undefined {
  const { ir } = t;
  if (t.code !== 32 || (t.flags & HF.pe) === 0 || (t.flags & NOT_FLAT) !== 0) {
    helper();
    return undefined;
  }
  const cs = ir.andI(ir.envLd("i32", "u32", OFF.sysenterCs), 0xfffc);
  const refused: [Cond, Value, Value][] = [
    ["eq", cs, ir.const32(0)],
    ["tstne", ir.get("eflags"), ir.const32(FLAG.ac)],
  ];
  if (t.word === 64) refused.push(["tstne", ir.envLd("i32", "u32", OFF.efer), ir.const32(EFER.LMA)]);
  unless(t, refused, helper);
  return cs;
}

/** tbFlags of flat 32-bit code at another privilege level; IOPL stays. */
function setLevel32(t: Tx, level: number): void {
  const { ir } = t;
  const steady = ir.andI(ir.get("tbflags"), STAYS | (3 << HF.ioplShift) | HF.fsWide | HF.gsWide);
  ir.set("tbflags", ir.orI(steady, (1 << HF.codeShift) | HF.ss32 | level));
}

const sysenter: Translate = (t) => {
  const { ir } = t;
  const cs = flat32(t, () => {
    t.call("sysenter");
    t.endAtPc("lookup");
  });
  if (cs === undefined) return;
  ir.set("eflags", ir.andI(ir.get("eflags"), ~(FLAG.if | FLAG.rf)));
  flatSegments(t, cs, ir.andI(ir.addI(cs, 8), 0xffff), 0, CODE32);
  setLevel32(t, 0);
  t.setReg(REG.sp, 4, ir.envLd("i32", "u32", OFF.sysenterEsp));
  t.jumpTo(t.toWord(ir.envLd("i32", "u32", OFF.sysenterEip)), "barrier");
  t.ctx.done = true;
};

const sysexit: Translate = (t, i) => {
  const { ir } = t;
  const cs = flat32(t, () => {
    t.call("sysexit", ir.const32(i.opSize === 8 ? 1 : 0));
    endWithInterrupts(t);
  });
  if (cs === undefined) return;
  const target = t.toWord(t.reg(REG.dx, 4));
  flatSegments(t, ir.orI(ir.addI(cs, 16), 3), ir.orI(ir.addI(cs, 24), 3), DPL3, CODE32);
  setLevel32(t, (3 << HF.cplShift) | MMU.user);
  t.setReg(REG.sp, 4, t.reg(REG.cx, 4));
  ir.set("pc", target);
  endWithInterrupts(t);
};

const swapgs: Translate = (t) => {
  const { ir } = t;
  const old = ir.get("gs_base");
  ir.set("gs_base", ir.envLd("i64", "u64", OFF.kernelGsBase));
  ir.envSt("u64", OFF.kernelGsBase, old);
};

/** CR4.FSGSBASE allows them. */
function needFsgsbase(t: Tx): void {
  const { ir } = t;
  t.rarely("tsteq", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4.FSGSBASE), () => t.raise(6));
}

const readBase =
  (n: number): Translate =>
  (t, i) => {
    needFsgsbase(t);
    const o = i.operands[0];
    const v = t.ir.get(`${SEG_NAMES[n]!}_base`);
    t.setReg(o.n, o.size, o.size === 8 ? v : t.ir.extrl(v));
  };

/** The base must be canonical. */
const writeBase =
  (n: number): Translate =>
  (t, i) => {
    needFsgsbase(t);
    const o = i.operands[0];
    const v = t.toWord(t.reg(o.n, o.size));
    if (o.size === 8) needCanonical(t, v);
    t.ir.set(`${SEG_NAMES[n]!}_base`, v);
  };

/** #GP(0) unless the upper bits repeat bit 47, or 56 with LA57. */
function needCanonical(t: Tx, v: Value): void {
  const { ir } = t;
  const bits = t.has("la57") ? 57 : 48;
  const extended = ir.sextract(v, 0, bits);
  t.rarely("ne", extended, v, () => t.raise(13, 0));
}

/** Translators of system calls. */
export const calls = {
  syscall, sysret, sysenter, sysexit, swapgs,
  rdfsbase: readBase(SEG.fs),
  rdgsbase: readBase(SEG.gs),
  wrfsbase: writeBase(SEG.fs),
  wrgsbase: writeBase(SEG.gs),
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
