/** The WebAssembly twin of what operating systems do most: entering handlers in ring 0, and leaving them. */
import { ENV, forMemory, TLB_ENTRIES, TLB_ENTRY_SIZE, type WasmMemory } from "@mimus/tcg";
import { bytes } from "../generated/integer-wasm.ts";
import { OFF, REG, regOffset, SEG, segOffset } from "../state.ts";

/** What core packages need of the global object of that name. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: WasmMemory } },
  ) => { readonly exports: Readonly<Record<string, (...args: number[]) => number>> };
};

/** Its functions; 0: not this shape, and nothing has changed. */
export interface FastPaths {
  /** `code` -1: none; `soft`: INT n; `rf`: RF is pushed as set. */
  enter(env: number, vector: number, code: number, soft: number, rf: number): number;
}

/** The layout that assembly/system.ts is written for. */
const LAYOUT: readonly (readonly [number, number])[] = [
  [ENV.tbFlags, 20], [ENV.tlb, 8192 + 16384 * 16], [TLB_ENTRIES, 16384], [TLB_ENTRY_SIZE, 32],
  [regOffset(REG.sp), 160], [OFF.pc, 256], [OFF.ccDst, 264], [OFF.ccOp, 288], [OFF.df, 292], [OFF.eflags, 296],
  [OFF.pending, 308], [OFF.cpl, 312], [OFF.cr0, 320], [OFF.cr4, 344], [OFF.efer, 368], [OFF.gdtBase, 424],
  [OFF.idtBase, 432], [OFF.gdtLimit, 440], [OFF.idtLimit, 444], [segOffset(SEG.cs), 536], [segOffset(SEG.ss), 560],
  [segOffset(SEG.tr), 680],
]; // prettier-ignore

/** The functions on a machine's memory. */
export function fastPaths(memory: WasmMemory): FastPaths {
  for (const [is, wanted] of LAYOUT)
    if (is !== wanted) throw new Error(`The state block has ${is} where assembly/system.ts expects ${wanted}`);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(forMemory(bytes, memory)), { env: { memory } });
  return { enter: exports["enter_handler"]! };
}
