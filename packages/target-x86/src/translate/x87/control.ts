/** Control and status words. Source: Intel SDM volume 1 (2023), 8.1; volume 2, the instructions' pages. */
import type { Value } from "@mimus/tcg";
import { OPERAND } from "../../insn.ts";
import { HF, OFF } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { control, pendingError } from "./escape.ts";
import { X87 } from "./layout.ts";

const MASKS = 0x3f;

/** The status word with TOP in it. */
export function statusWord(t: Tx): Value {
  const { ir } = t;
  return ir.or(ir.envLd("i32", "u32", OFF.fpuSw), ir.shlI(ir.get("fpu_top"), 11));
}

/** The masks may have changed: ends the block if what it was specialised on has. `cw` is the control word. */
export function masksChanged(t: Tx, cw: Value): void {
  const { ir } = t;
  const fast = ir.setcondI("eq", ir.andI(cw, MASKS), MASKS);
  t.rarely("ne", fast, ir.const32((t.flags & HF.x87Fast) === 0 ? 0 : 1), () => {
    ir.set("tbflags", ir.xorI(ir.get("tbflags"), HF.x87Fast));
    t.jumpTo(t.pcNext(), "barrier");
  });
}

/** No exception is pending any more. */
export function noError(t: Tx): void {
  t.ir.envSt("u32", X87.error, t.ir.const32(0));
}

const initialize: Translate = control(false, (t) => {
  const { ir } = t;
  ir.call("x87_init");
  noError(t);
  clearPointers(t);
  masksChanged(t, ir.const32(0x37f));
});

/** As FNINIT leaves them. */
export function clearPointers(t: Tx): void {
  const { ir } = t;
  t.x87Selectors = 0;
  const zero = ir.constBits("i64", 0, 0);
  ir.envSt("u32", OFF.fpuOpcode, ir.const32(0));
  ir.envSt("u64", OFF.fpuIp, zero);
  ir.envSt("u64", OFF.fpuDp, zero);
  ir.envSt("u64", OFF.fpuCs, zero);
}

/** FWAIT: #NM only with MP. */
const wait: Translate = (t) => {
  if ((t.flags & (HF.mp | HF.ts)) === (HF.mp | HF.ts)) {
    t.raise(7);
    t.ctx.done = true;
  } else pendingError(t);
};

/** FENI, FDISI, FSETPM: nothing since the 80387. */
const ignored: Translate = control(false, () => {});

/** Translators of the control instructions of the chapter "x87". */
export const x87Control = {
  fwait: wait,
  feni8087_nop: ignored,
  fdisi8087_nop: ignored,
  fsetpm287_nop: ignored,
  fninit: initialize,
  fnclex: control(false, (t) => {
    t.ir.call("x87_clear");
    noError(t);
  }),
  fldcw: control(true, (t) => {
    const cw = t.load("u16", t.address(0, "r"));
    t.ir.call("x87_control", cw);
    masksChanged(t, cw);
  }),
  fnstcw: control(false, (t) => t.store("u16", t.address(0, "w"), t.ir.envLd("i32", "u32", OFF.fpuCw))),
  fnstsw: control(false, (t, i) => {
    const { kind, n } = i.operands[0];
    if (kind === OPERAND.reg) t.setReg(n, 2, statusWord(t));
    else t.store("u16", t.address(0, "w"), statusWord(t));
  }),
} satisfies Readonly<Record<string, Translate>>;
