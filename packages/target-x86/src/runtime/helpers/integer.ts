/** What integer instructions call. */
import type { Helper, WasmModuleSpec } from "@mimus/tcg";
import type { X86Cpu } from "../../cpu.ts";
import { bytes } from "../../generated/integer-wasm.ts";
import { HF, SEG, SEG_FIELD, segOffset, type WordSize } from "../../state.ts";
import { adjustDecimal } from "../../translate/bcd.ts";
import { ENV } from "@mimus/tcg";

const MODULE = "x86-integer";

/** The module of the WebAssembly helpers. */
export const integerModule: WasmModuleSpec = { name: MODULE, bytes };

type Params = readonly ("env" | "i32" | "i64")[];

function wasm(name: string, params: Params, result: "i32" | "i64", pure: boolean, from: string = name): Helper {
  const impl = { kind: "wasm", module: MODULE, export: from } as const;
  return { name, params, result, mayFault: false, reads: [], writes: [], pure, impl };
}

/** Limit and type of a segment for an access that the fast look refused: raises #SS(0) or #GP(0) unless it is allowed. */
function segmentCheck(cpu: X86Cpu, seg: number, first: number, bytes: number, writes: number): void {
  const at = segOffset(seg);
  const attributes = cpu.lo(at + SEG_FIELD.attr);
  const limit = cpu.lo(at + SEG_FIELD.limit) >>> 0;
  const from = first >>> 0;
  const last = from + bytes - 1;
  let good: boolean;
  if ((cpu.lo(ENV.tbFlags) & (HF.pe | HF.vm)) !== HF.pe) good = last <= limit;
  else {
    const code = (attributes & 0x800) !== 0;
    const allowed = writes !== 0 ? !code && (attributes & 0x200) !== 0 : !code || (attributes & 0x200) !== 0;
    const down = !code && (attributes & 0x400) !== 0;
    const highest = attributes & 0x400000 ? 0xffff_ffff : 0xffff;
    const inside = down ? from > limit && last <= highest : last <= limit;
    good = (attributes & 0x8000) !== 0 && allowed && inside;
  }
  if (!good) cpu.raise(seg === SEG.ss ? 12 : 13, 0);
}

/** Helpers of the integer instructions, and how lazy flags become real. */
export function integerHelpers(word: WordSize): Helper[] {
  const type = word === 64 ? "i64" : "i32";
  const wide = ["i64", "i64", "i64"] as const;
  return [
    wasm("cc_flags", ["i32", type, type, type], "i32", true, word === 64 ? "cc_flags" : "cc_flags32"),
    wasm("udiv128", wide, "i64", true),
    wasm("pext", ["i64", "i64"], "i64", true),
    wasm("pdep", ["i64", "i64"], "i64", true),
    wasm("crc32c", ["i32", "i64", "i32"], "i32", true),
    // (mmu, log2 of the element, to, from, count), (mmu, log2 of the element, to, value, count): elements done
    { ...wasm("rep_movs", ["env", "i32", "i32", "i64", "i64", "i64"], "i32", false), counts: true },
    { ...wasm("rep_stos", ["env", "i32", "i32", "i64", "i64", "i64"], "i32", false), counts: true },
    {
      // raise(vector, error code)
      name: "raise",
      params: ["i32", "i32"],
      mayFault: true,
      reads: [],
      writes: [],
      impl: { kind: "js", fn: (cpu: X86Cpu, vector: number, code: number) => cpu.raise(vector, code) },
    },
    {
      // segment_check(segment, offset, bytes, writes)
      name: "segment_check",
      params: ["i32", "i32", "i32", "i32"],
      mayFault: true,
      reads: [],
      writes: [],
      impl: { kind: "js", fn: segmentCheck },
    },
    {
      // bcd(which, AX, flags): AX, and flags in bits 16..31
      name: "bcd",
      params: ["i32", "i32", "i32"],
      result: "i32",
      mayFault: false,
      reads: [],
      writes: [],
      pure: true,
      impl: {
        kind: "js",
        fn: (_cpu: X86Cpu, kind: number, ax: number, flags: number) => adjustDecimal(kind, ax, flags),
      },
    },
  ];
}
