/** The WebAssembly twin of what operating systems do most: entering handlers in ring 0, and leaving them. */
import { ENV, fillList, forMemory, MOST_FILLS, TLB_ENTRIES, TLB_ENTRY_SIZE, type WasmMemory } from "@mimus/tcg";
import { bytes } from "../generated/integer-wasm.ts";
import { CPUID_KEPT, MMU_INDEXES, OFF, REG, regOffset, SEG, segOffset } from "../state.ts";
import { SYS } from "./state.ts";

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

/** The layout that assembly/ is written for. */
const LAYOUT: readonly (readonly [number, number])[] = [
  [ENV.tbFlags, 20], [ENV.tlb, 8192 + 65536 * 16], [TLB_ENTRIES, 16384], [TLB_ENTRY_SIZE, 32],
  [regOffset(REG.sp), 160], [OFF.pc, 256], [OFF.ccDst, 264], [OFF.ccOp, 288], [OFF.df, 292], [OFF.eflags, 296],
  [OFF.pending, 308], [OFF.cpl, 312], [OFF.cr0, 320], [OFF.cr4, 344], [OFF.efer, 368], [OFF.gdtBase, 424],
  [OFF.idtBase, 432], [OFF.gdtLimit, 440], [OFF.idtLimit, 444], [segOffset(SEG.cs), 536], [segOffset(SEG.ss), 560],
  [segOffset(SEG.tr), 680], [OFF.logged, 3584], [regOffset(REG.ax), 128], [regOffset(REG.cx), 136], [regOffset(REG.dx), 144],
  [regOffset(REG.bx), 152], [OFF.cpuid, 3592], [CPUID_KEPT, 16],
  [ENV.budget, 0], [ENV.exception, 8], [ENV.lines, 88], [ENV.fills, 92], [ENV.exact, 96],
  [fillList(MMU_INDEXES), 8192 + 65536 * 16 + 3 * 16384 * 32], [MOST_FILLS, 512],
  [OFF.errorCode, 300], [OFF.softLength, 304], [SYS.faultAddress, 2376], [OFF.walkKind, 3976], [OFF.walkMode, 3980], [OFF.walkRoot, 3984],
  [OFF.walkReserved, 3992], [OFF.ramFirst, 4000], [OFF.ramPages, 4004], [OFF.ramPlace, 4008],
]; // prettier-ignore

/** The functions on a machine's memory. */
export function fastPaths(memory: WasmMemory): FastPaths {
  for (const [is, wanted] of LAYOUT)
    if (is !== wanted) throw new Error(`The state block has ${is} where assembly/system.ts expects ${wanted}`);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(forMemory(bytes, memory)), { env: { memory } });
  return { enter: exports["enter_handler"]! };
}
