/** x86 as the execution engine sees it. */
import type { Helper, Target, TranslateContext, WasmModuleSpec } from "@mimus/tcg";
import type { X86Config } from "./config.ts";
import { createInsn } from "./decode/create-insn.ts";
import type { FetchByte } from "./decode/bytes.ts";
import { Decoder } from "./decode/decoder.ts";
import { ALL_ROWS } from "./decode/index.ts";
import { TRAITS } from "./decode/notation.ts";
import { createDisassembler } from "./disas.ts";
import type { Insn } from "./insn.ts";
import { integerHelpers, integerModule } from "./runtime/helpers/integer.ts";
import { randomHelpers } from "./runtime/helpers/random.ts";
import { vectorHelpers, vectorModule } from "./runtime/vector/index.ts";
import { x87Helpers, x87Module } from "./runtime/x87/helpers.ts";
import { globals, HF, MMU_INDEXES } from "./state.ts";
import { systemHelpers } from "./system/helpers.ts";
import { lockedHelpers } from "./system/locked.ts";
import { TRANSLATORS } from "./translate/index.ts";
import { Observed } from "./translate/observed.ts";
import { Stamper } from "./translate/stamper.ts";
import { Tx, type Translate } from "./translate/tx.ts";

/** TLBs: supervisor, user, supervisor with SMAP suspended. */
const undefinedInsn: Translate = (t) => t.ud();

/** No property: an 80286 takes LOCK before any instruction. */
export const LOCK_ANYWHERE = "lock-anywhere";

/** Helpers that find and leave the flags in the state. */
const FLAG_GLOBALS: ReadonlySet<string> = new Set(["cc_op", "cc_dst", "cc_src", "cc_src2"]);
function touchesFlags({ reads = "all", writes = "all" }: Helper): boolean {
  const names = (list: "all" | readonly string[]): boolean => list === "all" || list.some((n) => FLAG_GLOBALS.has(n));
  return names(reads) || names(writes);
}

/** The target for CPUs built like `config`; identity (APIC number) does not matter. */
export function createTarget(config: X86Config): Target {
  const { features } = config;
  const decoder = new Decoder(ALL_ROWS, { features, near16: true, lockAnywhere: features.has(LOCK_ANYWHERE) });
  const translators = ALL_ROWS.map(({ name }) => TRANSLATORS[name] ?? undefinedInsn);
  const helpers: readonly Helper[] = [
    ...systemHelpers(config.word),
    ...lockedHelpers(config.word),
    ...integerHelpers(config.word),
    ...randomHelpers,
    ...vectorHelpers(config.word),
    ...x87Helpers(),
  ];
  const modules: readonly WasmModuleSpec[] = [integerModule, vectorModule, x87Module];
  const flagHelpers = new Set(helpers.filter(touchesFlags).map(({ name }) => name));
  const observed = new Observed();
  const insn: Insn = createInsn();
  let ctx: TranslateContext | undefined;
  let t: Tx | undefined;
  let start = 0;
  const fetch: FetchByte = (at) => (ctx as TranslateContext).u8(start + at);

  const stamper = new Stamper(translators, (c, i) => new Tx(c, config, i, flagHelpers));

  const begin = (c: TranslateContext): Tx => {
    ctx = c;
    t = new Tx(c, config, insn, flagHelpers);
    t.guess = observed.at(c);
    return t;
  };

  return {
    name: config.word === 64 ? "x86_64" : "i386",
    wordType: config.word === 64 ? "i64" : "i32",
    bigEndian: false,
    pageBits: 12,
    mmuIndexes: MMU_INDEXES,
    globals: globals(config.word),
    pcGlobal: "pc",
    helpers,
    modules,
    fill: { module: "x86-integer", export: "fill_tlb" },
    insnWords: 2,
    seesOwnStores: true,
    unaligned: true,
    begin,
    insn(c) {
      const tx = t ?? begin(c);
      start = c.at;
      const decoded = decoder.decode(fetch, tx.code, insn);
      if (decoded === "fetch") return 0;
      if (decoded === "ok" && c.stamps !== undefined && stamper.put(tx, insn, c.stamps)) return insn.length;
      tx.start();
      // The shadow of STI and MOV SS ends here, even if the instruction faults.
      if ((tx.flags & HF.shadow) !== 0) c.ir.set("tbflags", c.ir.andI(c.ir.get("tbflags"), ~HF.shadow));
      if ((tx.flags & HF.breakpoints) !== 0) tx.call("break_before", tx.pcValueAt(0));
      if (decoded !== "ok") {
        if (decoded === "long") tx.gp0();
        else tx.ud();
        return insn.length;
      }
      const { traits } = insn;
      if ((traits & TRAITS.prot) !== 0 && !tx.protectedMode) tx.ud();
      else if ((traits & TRAITS.cpl0) !== 0 && tx.cpl !== 0) tx.gp0();
      else translators[insn.row]!(tx, insn);
      if (!c.done && (tx.flags & (HF.tf | HF.shadow | HF.breakpoints)) !== 0) {
        tx.jumpBy(0, insn.length);
        c.done = true;
      }
      return insn.length;
    },
    end(c) {
      const tx = t ?? begin(c);
      insn.length = 0;
      tx.jumpBy(0, 0);
    },
    disassemble: (pc, bytes) => createDisassembler(t?.code ?? 32, decoder)(pc, bytes),
  };
}
