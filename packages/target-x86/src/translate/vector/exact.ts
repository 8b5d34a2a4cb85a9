/** The exact functions: operands and result go through a block of the vCPU's state. Source: Intel SDM volume 1 (2023), 11.5. */
import { SSE_BLOCK } from "@mimus/softfloat/sse";
import { NONE, type Value } from "@mimus/tcg";
import { HF, OFF } from "../../state.ts";
import type { Tx } from "../tx.ts";
import { mayRound } from "./fast.ts";

/** What an exact function returns: {@link Exact} bits. */
const FAST = 1;
const UNMASKED = 2;
const CR4_OSXMMEXCPT = 1 << 10;

/** Operands of an exact function: vectors, or numbers and integers for lane 0. */
export interface Operands {
  readonly a?: Value;
  readonly b?: Value;
  readonly c?: Value;
}

function put(t: Tx, at: number, v: Value): void {
  const type = t.ir.typeOf(v);
  t.ir.envSt(type === "v128" ? "v128" : type === "i64" || type === "f64" ? "u64" : "u32", OFF.vector + at, v);
}

/** Calls of exact functions within one instruction: nothing may be written before all of them were done. */
export class Exact {
  readonly #t: Tx;
  readonly #halves: number;
  #calls = 0;
  #codes: Value = NONE;

  /** `halves`: calls that are parts of one operation. */
  constructor(t: Tx, halves: number = 1) {
    this.#t = t;
    this.#halves = halves;
  }

  /** Calls `name` with the operands and numbers. @returns a v128, or what else `result` says */
  call(
    name: string,
    operands: Operands,
    numbers: readonly number[],
    result: "v128" | "f32" | "f64" | "i32" | "i64",
  ): Value {
    const t = this.#t;
    const { ir } = t;
    if (operands.a !== undefined) put(t, SSE_BLOCK.a, operands.a);
    if (operands.b !== undefined) put(t, SSE_BLOCK.b, operands.b);
    if (operands.c !== undefined) put(t, SSE_BLOCK.c, operands.c);
    if (this.#halves === 2) ir.envSt("u32", OFF.vector + SSE_BLOCK.part, ir.const32(++this.#calls));
    const code = ir.call(name, ir.envAddr(OFF.vector), ir.envAddr(OFF.mxcsr), ...numbers.map((n) => ir.const32(n)));
    this.#codes = this.#codes === NONE ? code : ir.or(this.#codes, code);
    const mem = result === "v128" ? "v128" : result === "i64" || result === "f64" ? "u64" : "u32";
    return ir.envLd(result, mem, OFF.vector + SSE_BLOCK.result);
  }

  /**
   * Raises what is not masked, or lets `write` do its work. Where MXCSR became one with which the host's arithmetic
   * will do, the block ends.
   */
  finish(write: () => void): void {
    const t = this.#t;
    // With all masked and PE set neither can be.
    if (mayRound(t)) return write();
    const { ir } = t;
    const codes = this.#codes;
    t.rarely("tstne", codes, ir.const32(UNMASKED), () => {
      const without = ir.label();
      ir.brcond("tsteq", ir.envLd("i32", "u32", OFF.cr4), ir.const32(CR4_OSXMMEXCPT), without);
      t.raise(19);
      ir.place(without);
      t.raise(6);
    });
    write();
    t.rarely("tstne", codes, ir.const32(FAST), () => leaveFast(t));
  }
}

/** Leaves for the next instruction, translated for the MXCSR that is now. */
function leaveFast(t: Tx): void {
  const { ir } = t;
  ir.set("tbflags", ir.orI(ir.get("tbflags"), HF.mxcsrFast | HF.mxcsrInexact));
  t.jumpTo(t.pcNext(), "barrier");
}

/** Functions without flags: operands in, result out. */
export function plainCall(t: Tx, name: string, operands: Operands, ...numbers: number[]): Value {
  const { ir } = t;
  if (operands.a !== undefined) put(t, SSE_BLOCK.a, operands.a);
  if (operands.b !== undefined) put(t, SSE_BLOCK.b, operands.b);
  if (operands.c !== undefined) put(t, SSE_BLOCK.c, operands.c);
  ir.call(name, ir.envAddr(OFF.vector), ...numbers.map((n) => ir.const32(n)));
  return ir.envLd("v128", "v128", OFF.vector + SSE_BLOCK.result);
}
