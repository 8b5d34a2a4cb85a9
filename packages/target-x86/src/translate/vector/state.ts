/** MXCSR and the instructions that save and restore registers. Source: Intel SDM volume 2 (2023), LDMXCSR, FXSAVE, XSAVE. */
import { XSAVE_KIND } from "../../runtime/vector/xsave.ts";
import { HF, OFF } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { forget } from "./registers.ts";

const CR4_OSXSAVE = 1 << 18;
const MXCSR_FAST = 0x1f80;
const MXCSR_PE = 0x20;

const ldmxcsr: Translate = (t) => {
  const { ir } = t;
  const v = t.read(0, 4);
  t.raiseIf("tstne", v, ir.const32(0xffff0000 | 0), 13, 0);
  ir.set("mxcsr", v);
  const fast = ir.setcond("eq", ir.andI(v, 0xffc0), ir.const32(MXCSR_FAST));
  const inexact = ir.setcond("eq", ir.andI(v, 0xffe0), ir.const32(MXCSR_FAST | MXCSR_PE));
  const others = ir.andI(ir.get("tbflags"), ~(HF.mxcsrFast | HF.mxcsrInexact));
  const ours = ir.or(ir.shlI(fast, Math.log2(HF.mxcsrFast)), ir.shlI(inexact, Math.log2(HF.mxcsrInexact)));
  ir.set("tbflags", ir.or(others, ours));
  t.endToLookup();
};
const stmxcsr: Translate = (t) => t.write(0, t.ir.get("mxcsr"));

/** CR0.TS, CR0.EM and CR4.OSXSAVE have their say, then the helper does it all. */
function family(kind: keyof typeof XSAVE_KIND): Translate {
  const old = kind === "fxsave" || kind === "fxrstor";
  const restores = kind === "fxrstor" || kind === "xrstor" || kind === "xrstors";
  return (t, i) => {
    const { ir } = t;
    if (old && (t.flags & (HF.ts | HF.em)) !== 0) return unavailable(t);
    if (!old) {
      t.raiseIf("tsteq", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4_OSXSAVE), 6);
      if ((t.flags & HF.ts) !== 0) return unavailable(t);
    }
    const address = t.linear(i, old ? 512 : 576, restores ? "r" : "w");
    t.raiseIf("tstne", address, t.imm(old ? 15 : 63), 13, 0);
    t.call("xsave", ir.const32(XSAVE_KIND[kind] | (i.rexW ? 8 : 0)), address);
    forget();
    if (restores) t.endToLookup();
  };
}
/** #NM. */
function unavailable(t: Tx): void {
  t.raise(7);
  t.ctx.done = true;
}

export const vectorState = {
  ldmxcsr, stmxcsr, vldmxcsr: ldmxcsr, vstmxcsr: stmxcsr,
  fxsave: family("fxsave"), fxrstor: family("fxrstor"), xsave: family("xsave"), xsaveopt: family("xsaveopt"),
  xsavec: family("xsavec"), xsaves: family("xsaves"), xrstor: family("xrstor"), xrstors: family("xrstors"),
}; // prettier-ignore
