/** RISC-V as the execution engine sees it. */
import type { Decoder } from "@mimus/decodetree";
import type { Helper, Target, TranslateContext, WasmModuleSpec } from "@mimus/tcg";
import type { HartConfig } from "./config.ts";
import { createDisassembler, type Disassemble } from "./disas.ts";
import { decodersOf } from "./isa.ts";
import { carrylessHelpers } from "./runtime/carryless.ts";
import { riscvHelpers } from "./runtime/helpers.ts";
import { softFloatHelpers, softFloatModule } from "./runtime/softfloat.ts";
import { RV32_GLOBALS, RV64_GLOBALS } from "./state.ts";
import { Block } from "./translate/block.ts";
import { Stamper } from "./translate/stamper.ts";

/** TLBs of a hart: U, S, S with SUM, M. */
const MMU_INDEXES = 4;

/** RV32E and RV64E have x0..x15 only. Source: Unprivileged ISA 20191213, ch. 4. */
function namesHighRegister(decoder: Decoder<Block>, word: number): boolean {
  const entry = decoder.matcher.match(word);
  return entry !== undefined && entry.fields.some(([, f]) => f.kind === "x" && f.extract(word) > 15);
}

/** The target for harts built like `hart`; its identity (hart id, reset vector) does not matter. */
export function createTarget(hart: HartConfig): Target {
  const { wide, compressed } = decodersOf(hart.xlen, hart.ext);
  const helpers: readonly Helper[] = [
    ...riscvHelpers(hart.xlen),
    ...carrylessHelpers(hart.xlen),
    ...softFloatHelpers(),
  ];
  const modules: readonly WasmModuleSpec[] = [softFloatModule()];
  const stamper = hart.ext.c && !hart.ext.e ? new Stamper(hart) : undefined;
  let block: Block | undefined;
  let disassemble: Disassemble | undefined;

  const insn = (ctx: TranslateContext): number => {
    const { at } = ctx;
    const low = ctx.u16(at);
    if (low < 0) return 0;
    const narrow = (low & 3) !== 3;
    const high = narrow ? 0 : ctx.u16(at + 2);
    if (high < 0) return 0;
    const b = (block ??= new Block(ctx, hart));
    b.length = narrow ? 2 : 4;
    b.bits = (low | (high << 16)) >>> 0;
    const decoder = narrow ? compressed : wide;
    if (ctx.stamps !== undefined && stamper !== undefined) {
      const way = decoder?.find(b.bits);
      if (way !== undefined && stamper.put(b, way, ctx.stamps)) return b.length;
    }
    ctx.ir.insn(at);
    const known =
      decoder !== undefined && !(hart.ext.e && namesHighRegister(decoder, b.bits)) && decoder.run(b, b.bits);
    if (!known) b.illegal();
    return b.length;
  };

  return {
    name: `riscv${hart.xlen}`,
    wordType: hart.xlen === 64 ? "i64" : "i32",
    bigEndian: false,
    pageBits: 12,
    mmuIndexes: MMU_INDEXES,
    globals: hart.xlen === 64 ? RV64_GLOBALS : RV32_GLOBALS,
    pcGlobal: "pc",
    helpers,
    modules,
    insnWords: 1,
    begin(ctx) {
      block = new Block(ctx, hart);
    },
    insn,
    end(ctx) {
      const b = (block ??= new Block(ctx, hart));
      b.jump(0, 0);
    },
    disassemble(pc, bytes) {
      disassemble ??= createDisassembler(hart.xlen, { ext: hart.ext });
      return disassemble(pc, bytes);
    },
  };
}
