/** FNSTENV, FLDENV, FNSAVE, FRSTOR. Source: Intel SDM volume 1 (2023), 8.1.10, figures 8-9 to 8-12. */
import type { Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import { OFF } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { control } from "./escape.ts";
import { clearPointers, masksChanged, noError, statusWord } from "./control.ts";
import { after } from "./move.ts";

/** Bytes of an environment and of the state with the registers. */
const size = (i: Insn): number => (i.opSize === 2 ? 14 : 28);

/** In real and virtual-8086 mode pointers are linear addresses, and the opcode is stored. */
function linear(t: Tx): boolean {
  return !t.protectedMode;
}

/** The seven words of the environment; in the 32-bit layouts the upper halves are ones where nothing else is. */
function words(t: Tx, wide: boolean): Value[] {
  const { ir } = t;
  const field = (offset: number): Value => ir.envLd("i32", "u32", offset);
  const ones = (v: Value): Value => (wide ? ir.orI(v, -0x10000) : v);
  const first = [ones(field(OFF.fpuCw)), ones(statusWord(t)), ones(ir.call("x87_tags"))];
  const [ip, cs, dp, ds] = [field(OFF.fpuIp), field(OFF.fpuCs), field(OFF.fpuDp), field(OFF.fpuDs)];
  const opcode = field(OFF.fpuOpcode);
  if (linear(t)) {
    const at = ir.add(ir.shlI(cs, 4), ip);
    const data = ir.add(ir.shlI(ds, 4), dp);
    const upper = (v: Value): Value => ir.shlI(ir.extract(v, 16, wide ? 16 : 4), 12);
    return [
      ...first,
      ones(ir.ext16u(at)),
      ir.or(upper(at), ir.andI(opcode, 0x7ff)),
      ones(ir.ext16u(data)),
      upper(data),
    ];
  }
  if (!wide) return [...first, ip, cs, dp, ds];
  return [...first, ip, ir.or(ir.ext16u(cs), ir.shlI(ir.andI(opcode, 0x7ff), 16)), dp, ones(ds)];
}

function storeWords(t: Tx, i: Insn, address: Value): void {
  const wide = i.opSize !== 2;
  const mem = wide ? "u32" : "u16";
  words(t, wide).forEach((v, n) => t.store(mem, after(t, address, n * (wide ? 4 : 2)), v));
}

/** Loads all, then sets all. @returns what sets */
function loadWords(t: Tx, i: Insn, address: Value): () => void {
  const { ir } = t;
  const wide = i.opSize !== 2;
  const v = Array.from({ length: 7 }, (_, n) => t.load(wide ? "u32" : "u16", after(t, address, n * (wide ? 4 : 2))));
  return () => {
    let [ip, cs, dp, ds] = [v[3]!, v[4]!, v[5]!, v[6]!];
    let opcode = wide ? ir.extract(cs, 16, 11) : undefined;
    if (linear(t)) {
      const upper = (w: Value): Value => ir.shlI(ir.extract(w, 12, wide ? 16 : 4), 16);
      opcode = ir.andI(cs, 0x7ff);
      ip = ir.or(ir.ext16u(ip), upper(cs));
      dp = ir.or(ir.ext16u(dp), upper(ds));
      cs = ir.const32(0);
      ds = ir.const32(0);
    }
    t.x87Selectors = 0;
    ir.envSt("u64", OFF.fpuIp, ir.extuI32(ip));
    ir.envSt("u64", OFF.fpuDp, ir.extuI32(dp));
    ir.envSt("u32", OFF.fpuCs, ir.ext16u(cs));
    ir.envSt("u32", OFF.fpuDs, ir.ext16u(ds));
    if (opcode !== undefined) ir.envSt("u32", OFF.fpuOpcode, opcode);
    ir.call("x87_environment", ir.ext16u(v[0]!), ir.ext16u(v[1]!), ir.ext16u(v[2]!));
    noError(t);
    masksChanged(t, v[0]!);
  };
}

/** All exceptions are masked once it is stored. */
const storeEnvironment: Translate = control(false, (t, i) => {
  const { ir } = t;
  storeWords(t, i, t.linear(i, size(i), "w"));
  const cw = ir.orI(ir.envLd("i32", "u32", OFF.fpuCw), 0x3f);
  ir.call("x87_control", cw);
  masksChanged(t, cw);
});

const loadEnvironment: Translate = control(true, (t, i) => loadWords(t, i, t.linear(i, size(i), "r"))());

const save: Translate = control(false, (t, i) => {
  const { ir } = t;
  const base = size(i);
  const address = t.linear(i, base + 80, "w");
  storeWords(t, i, address);
  for (let n = 0; n < 8; n++) {
    t.store("u64", after(t, address, base + 10 * n), ir.call("x87_significand", ir.const32(n)));
    t.store("u16", after(t, address, base + 10 * n + 8), ir.call("x87_sign_exponent", ir.const32(n)));
  }
  ir.call("x87_init");
  noError(t);
  clearPointers(t);
  masksChanged(t, ir.const32(0x37f));
});

const restore: Translate = control(true, (t, i) => {
  const { ir } = t;
  const base = size(i);
  const address = t.linear(i, base + 80, "r");
  const registers = Array.from({ length: 8 }, (_, n) => {
    const at = base + 10 * n;
    return [t.load("u64", after(t, address, at)), t.load("u16", after(t, address, at + 8))] as const;
  });
  const status = t.load(i.opSize === 2 ? "u16" : "u32", after(t, address, i.opSize === 2 ? 2 : 4));
  const environment = loadWords(t, i, address);
  // The registers are relative to the new TOP.
  const top = ir.extract(status, 11, 3);
  registers.forEach(([low, high], n) => void ir.call("x87_set_physical", ir.addI(top, n), low, high));
  environment();
});

/** Translators of the environment of the chapter "x87". */
export const x87Environment = {
  fnstenv: storeEnvironment,
  fldenv: loadEnvironment,
  fnsave: save,
  frstor: restore,
} satisfies Readonly<Record<string, Translate>>;
