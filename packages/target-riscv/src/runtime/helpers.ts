/**
 * What translated code calls for instructions that are more than arithmetic.
 *
 * `word` parameters are i64 on RV64 and i32 on RV32. After `csr`, `wfi`, `sfence_vma` the state that translated
 * code is specialised on may have changed: the block ends there.
 */
import type { Helper } from "@mimus/tcg";
import { ENV } from "@mimus/tcg";
import { visible } from "../csr/counter.ts";
import type { Hart } from "../hart.ts";
import type { Xlen } from "../state.ts";
import { wfi } from "../trap.ts";
import { cacheBlock } from "./cache-block.ts";
import { sfenceVma } from "./fence.ts";

/** Globals that CSR instructions and mode changes touch, besides pc. */
const STATUS = ["mstatus", "tbflags", "res_addr"] as const;
const FLOAT = ["fp_flags"] as const;
const PLAIN = ["mscratch", "sscratch", "mcause", "scause", "mtval", "stval"] as const;
/** Number of the `time` CSR. */
const TIME = 0xc01;
const CSR_GLOBALS = [...STATUS, ...FLOAT, ...PLAIN];

function csr64(hart: Hart, insn: number, lo: number, hi: number): void {
  if (!hart.csrs.access(insn, lo, hi)) return;
  hart.set(ENV.scratch, hart.csrs.value[0]!, hart.csrs.value[1]!);
}

function csr32(hart: Hart, insn: number, operand: number): number {
  return hart.csrs.access(insn, operand, 0) ? hart.csrs.value[0]! : 0;
}

/** `time` alone, without the way through the file of registers; anything else about it takes that way. */
function time64(hart: Hart, insn: number, lo: number, hi: number): void {
  if (insn >>> 20 !== TIME || !visible(hart, 1)) return csr64(hart, insn, lo, hi);
  const { value } = hart.csrs;
  hart.counters.readTime(value);
  hart.set(ENV.scratch, value[0]!, value[1]!);
}

function time32(hart: Hart, insn: number, operand: number): number {
  if (insn >>> 20 !== TIME || !visible(hart, 1)) return csr32(hart, insn, operand);
  const { value } = hart.csrs;
  hart.counters.readTime(value);
  return value[0]!;
}

/** The helpers for harts of a width. */
export function riscvHelpers(xlen: Xlen): Helper[] {
  const word = xlen === 64 ? "i64" : "i32";
  return [
    {
      // csr(insn, rs1 or immediate) -> old value: any CSR instruction, decoded from its bits.
      name: "csr",
      params: ["i32", word],
      result: word,
      mayFault: true,
      reads: CSR_GLOBALS,
      writes: CSR_GLOBALS,
      impl: { kind: "js", fn: xlen === 64 ? csr64 : csr32 },
    },
    {
      // csr_time(insn, 0) -> time: touches nothing that translated code holds.
      name: "csr_time",
      params: ["i32", word],
      result: word,
      mayFault: true,
      reads: [],
      writes: [],
      impl: { kind: "js", fn: xlen === 64 ? time64 : time32 },
    },
    {
      // raise(cause, trap value)
      name: "raise",
      params: ["i32", word],
      mayFault: true,
      reads: [],
      writes: [],
      impl: { kind: "js", fn: (hart: Hart, cause: number, lo: number, hi = 0) => hart.raise(cause, lo, hi) },
    },
    {
      // illegal(insn)
      name: "illegal",
      params: ["i32"],
      mayFault: true,
      reads: [],
      writes: [],
      impl: { kind: "js", fn: (hart: Hart, insn: number) => hart.illegal(insn) },
    },
    {
      // wfi(insn): pc is already that of the next instruction.
      name: "wfi",
      params: ["i32"],
      mayFault: true,
      reads: ["mstatus", "pc"],
      writes: [],
      impl: { kind: "js", fn: wfi },
    },
    {
      // sfence_vma(insn, rs1's value); also for sinval.vma.
      name: "sfence_vma",
      params: ["i32", word],
      mayFault: true,
      reads: ["mstatus"],
      writes: [],
      impl: { kind: "js", fn: sfenceVma },
    },
    {
      // cbo(insn, rs1's value): cbo.inval, cbo.clean, cbo.flush, cbo.zero.
      name: "cbo",
      params: ["i32", word],
      mayFault: true,
      reads: ["mstatus", "tbflags"],
      writes: [],
      impl: { kind: "js", fn: cacheBlock },
    },
  ];
}
