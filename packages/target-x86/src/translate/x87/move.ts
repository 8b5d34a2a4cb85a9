/** Loads, stores, exchanges, constants. Source: Intel SDM volume 2 (2023), their pages. */
import type { Value } from "@mimus/tcg";
import { OPERAND, type Insn } from "../../insn.ts";
import { HF, OFF } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { memOf } from "../width.ts";
import { loadInteger, stack } from "./arith.ts";
import { escape, escapeMemory } from "./escape.ts";
import { X87 } from "./layout.ts";

/** Address `offset` bytes on. */
export function after(t: Tx, address: Value, offset: number): Value {
  const sum = t.ir.addI(address, offset);
  return t.code === 64 ? sum : t.cut(sum, 4);
}

/** Ten bytes: i64, i32. */
function loadTen(t: Tx): [Value, Value] {
  const address = t.address(0, "r");
  return [t.load("u64", address), t.load("u16", after(t, address, 8))];
}

const loadMemory = escapeMemory((t, i) => {
  const size = i.operands[0].size;
  if (size === 10) {
    const [low, high] = loadTen(t);
    return () => void t.ir.call("x87_ld_f80", low, high);
  }
  const v = t.load(memOf(size), t.address(0, "r"));
  return () => void t.ir.call(size === 8 ? "x87_ld_f64" : "x87_ld_f32", v);
});
const loadRegister = escape((t, i) => void t.ir.call("x87_ld", t.ir.const32(stack(i, 0))));

/**
 * The number is computed, written to memory, and only then are status word and stack changed. What is refused for an
 * exception that is not masked leaves memory alone.
 */
function storeWith(t: Tx, write: () => void, pops: number): () => void {
  const { ir } = t;
  if ((t.flags & HF.x87Fast) === 0) {
    const skip = ir.label();
    ir.brcond("ne", ir.envLd("i32", "u32", X87.refused), ir.const32(0), skip, true);
    write();
    ir.place(skip);
    return () => void ir.call("x87_stored", ir.const32(pops));
  }
  write();
  // What x87_stored does; nothing is refused.
  return () => {
    ir.envSt("u32", OFF.fpuSw, ir.envLd("i32", "u32", X87.status));
    if (pops === 0) return;
    const top = ir.get("fpu_top");
    const empty = ir.shl(ir.constBits("i64", 1, 0), ir.extuI32(ir.shlI(top, 3)));
    ir.envSt("u64", OFF.fpuEmpty, ir.or(ir.envLd("i64", "u64", OFF.fpuEmpty), empty));
    ir.set("fpu_top", ir.andI(ir.addI(top, 1), 7));
  };
}

/** The address comes first: its faults come before what storing finds out. */
function storeReal(pops: number): Translate {
  return escapeMemory((t, i) => {
    const size = i.operands[0].size;
    const address = t.address(0, "w");
    if (size === 10) return storeTen(t, address, "x87_st_f80", pops);
    const v = t.ir.call(size === 8 ? "x87_st_f64" : "x87_st_f32");
    return storeWith(t, () => t.store(memOf(size), address, v), pops);
  });
}

function storeTen(t: Tx, address: Value, helper: string, pops: number): () => void {
  const low = t.ir.call(helper);
  return storeWith(
    t,
    () => {
      t.store("u64", address, low);
      t.store("u16", after(t, address, 8), t.ir.envLd("i32", "u32", X87.high));
    },
    pops,
  );
}

function storeInteger(pops: number, truncate: boolean): Translate {
  return escapeMemory((t, i) => {
    const size = i.operands[0].size;
    const address = t.address(0, "w");
    const wide = t.ir.call("x87_st_i64", t.ir.const32(truncate ? -8 * size : 8 * size));
    const v = size === 8 ? wide : t.ir.extrl(wide);
    return storeWith(t, () => t.store(memOf(size), address, v), pops);
  });
}

function storeRegister(pop: number): Translate {
  return escape((t, i) => void t.ir.call("x87_st", t.ir.const32(stack(i, 0) | pop)));
}

function either(memory: Translate, register: Translate): Translate {
  return (t: Tx, i: Insn) => (i.operands[0].kind === OPERAND.mem ? memory : register)(t, i);
}

function constant(n: number): Translate {
  return escape((t) => void t.ir.call("x87_ld_constant", t.ir.const32(n)));
}

/** Translators of the moves of the chapter "x87". */
export const x87Move = {
  fld: either(loadMemory, loadRegister),
  fild: escapeMemory((t, i) => {
    const v = loadInteger(t, i);
    return () => void t.ir.call("x87_ld_i64", t.ir.typeOf(v) === "i64" ? v : t.ir.extI32(v));
  }),
  fbld: escapeMemory((t) => {
    const [low, high] = loadTen(t);
    return () => void t.ir.call("x87_ld_bcd", low, high);
  }),
  fst: either(storeReal(0), storeRegister(0)),
  fstp: either(storeReal(1), storeRegister(8)),
  fstpnce: escape((t, i) => void t.ir.call("x87_st_unchecked", t.ir.const32(stack(i, 0)))),
  fist: storeInteger(0, false),
  fistp: storeInteger(1, false),
  fisttp: storeInteger(1, true),
  fbstp: escapeMemory((t) => storeTen(t, t.address(0, "w"), "x87_st_bcd", 1)),
  fxch: escape((t, i) => void t.ir.call("x87_xch", t.ir.const32(stack(i, 0)))),
  fld1: constant(0),
  fldl2t: constant(1),
  fldl2e: constant(2),
  fldpi: constant(3),
  fldlg2: constant(4),
  fldln2: constant(5),
  fldz: constant(6),
} satisfies Readonly<Record<string, Translate>>;
