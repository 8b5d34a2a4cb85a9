/** System calls and the bases of FS and GS. Source: Intel SDM volume 2 (2023). */
import type { Value } from "@mimus/tcg";
import { OFF, SEG_NAMES, SEG } from "../../state.ts";
import { CR4 } from "../../system/bits.ts";
import type { Translate, Tx } from "../tx.ts";
import { endWithInterrupts } from "./end.ts";

const syscall: Translate = (t) => {
  t.ir.set("pc", t.pcNext());
  t.call("syscall");
  t.endAtPc("lookup");
};

const sysret: Translate = (t, i) => {
  t.call("sysret", t.ir.const32(i.opSize === 8 ? 1 : 0));
  endWithInterrupts(t);
};

const sysenter: Translate = (t) => {
  t.call("sysenter");
  t.endAtPc("lookup");
};

const sysexit: Translate = (t, i) => {
  t.call("sysexit", t.ir.const32(i.opSize === 8 ? 1 : 0));
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
export function needCanonical(t: Tx, v: Value): void {
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
