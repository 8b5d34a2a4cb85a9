/** IN, OUT, INS, OUTS. Source: Intel SDM volume 1 (2023), chapter 19. */
import type { Value } from "@mimus/tcg";
import { OPERAND, type Insn } from "../../insn.ts";
import { HF, OFF, PENDING, REG, SEG } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { memOf } from "../width.ts";

/** The port that operand `k` names. */
function portOf(t: Tx, i: Insn, k: number): Value {
  return i.operands[k]!.kind === OPERAND.imm ? t.ir.const32(i.immLo & 0xff) : t.reg(REG.dx, 2);
}

/** Privilege, and breakpoints. */
function check(t: Tx, port: Value, size: number): void {
  const { ir } = t;
  const privileged = (t.flags & HF.pe) === 0 || ((t.flags & HF.vm) === 0 && t.cpl <= t.iopl);
  if (!privileged) {
    const on = ir.label();
    ir.brcondI("ne", t.call("port_check_fast", port, ir.const32(size)), 0, on);
    t.call("port_check", port, ir.const32(size));
    ir.place(on);
  }
  if ((t.flags & HF.breakpoints) !== 0) t.call("port_watch", port, ir.const32(size));
}

const input: Translate = (t, i) => {
  const { size } = i.operands[0];
  const port = portOf(t, i, 1);
  check(t, port, size);
  // A port of 32 bits may belong to a device that looks at registers.
  const helper = size === 4 && i.operands[1].kind !== OPERAND.imm ? "port_in_regs" : "port_in";
  const v = t.call(helper, port, t.ir.const32(size));
  t.setReg(REG.ax, size, v);
};

/** An SMI, NMI or INIT that the access brought about comes before the next instruction. */
const output: Translate = (t, i) => {
  const { ir } = t;
  const { size } = i.operands[1];
  const port = portOf(t, i, 0);
  check(t, port, size);
  t.call("port_out", port, ir.const32(size), t.reg(REG.ax, size));
  const now = PENDING.smi | PENDING.nmi | PENDING.init;
  t.rarely("tstne", ir.envLd("i32", "u32", OFF.pending), ir.const32(now), () => {
    t.lazy.store();
    ir.set("pc", t.pcNext());
    ir.exit("next");
  });
};

/** One turn per run of the block, as string instructions repeat. */
function repeat(t: Tx, i: Insn, element: () => void): void {
  if (i.rep === 0) return element();
  const { ir } = t;
  const out = ir.label();
  const last = ir.label();
  const count = t.addressReg(REG.cx, i.adSize);
  ir.brcondI("eq", count, 0, out);
  element();
  const left = t.cut(ir.addI(count, -1), i.adSize);
  t.setAddressReg(REG.cx, i.adSize, left);
  ir.brcondI("eq", left, 0, last);
  t.jump(0, t.pcAt(0));
  ir.place(last);
  ir.place(out);
  t.jump(1, t.nextPc());
  t.ctx.done = true;
}

/** Moves SI or DI by the size of an element, up or down. */
function advance(t: Tx, i: Insn, n: number, size: number): void {
  const { ir } = t;
  const delta = t.toWordSigned(ir.shlI(ir.get("df"), 31 - Math.clz32(size)));
  t.setAddressReg(n, i.adSize, ir.add(t.addressReg(n, i.adSize), delta));
}

/** The destination is written before the port is read, so that a page fault loses nothing. */
const ins: Translate = (t, i) => {
  const { ir } = t;
  const { size } = i.operands[0];
  check(t, t.reg(REG.dx, 2), size);
  repeat(t, i, () => {
    const to = t.segAddress(SEG.es, t.addressReg(REG.di, i.adSize), size, "w");
    t.store(memOf(size), to, ir.const32(0));
    t.store(memOf(size), to, t.call("port_in", t.reg(REG.dx, 2), ir.const32(size)));
    advance(t, i, REG.di, size);
  });
};

const outs: Translate = (t, i) => {
  const { ir } = t;
  const { size } = i.operands[1];
  check(t, t.reg(REG.dx, 2), size);
  repeat(t, i, () => {
    const v = t.load(memOf(size), t.segAddress(i.mem.seg, t.addressReg(REG.si, i.adSize), size, "r"));
    t.call("port_out", t.reg(REG.dx, 2), ir.const32(size), v);
    advance(t, i, REG.si, size);
  });
};

/** Translators of port accesses. */
export const ports = { in: input, out: output, ins, outs } satisfies Readonly<Record<string, Translate>>;
