/** Addresses that are not canonical, or above a limit of 4 GiB: #SS in the stack segment, else #GP. Source: SDM volume 3A (2023), 6.15. */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { createInsn } from "../decode/create-insn.ts";
import { sharedDecoder } from "../decode/shared.ts";
import { OPERAND, type Insn } from "../insn.ts";
import { HF, OFF, SEG } from "../state.ts";

/** Instructions that push or pop. */
const STACK: ReadonlySet<string> = new Set(
  "push pop pushf popf pushseg popseg call call_ind callf ret retf iret enter leave".split(" "),
);
const MODES = [16, 32, 64] as const;
let insn: Insn | undefined;

/** Whether the instruction at pc, which used an address that can't be, used it in the stack segment. */
export function addressesStack(cpu: X86Cpu): boolean {
  insn ??= createInsn();
  const mmu = cpu.lo(ENV.tbFlags) & HF.mmu;
  const lo = cpu.lo(OFF.pc);
  const hi = cpu.hi(OFF.pc);
  const result = sharedDecoder().decode(
    (at) => {
      const sum = (lo + at) | 0;
      const carry = sum >>> 0 < lo >>> 0 ? 1 : 0;
      return cpu.engine.load(cpu.env, sum, (hi + carry) | 0, 1, mmu) ? cpu.lo(ENV.scratch) & 0xff : -1;
    },
    MODES[(cpu.lo(ENV.tbFlags) >> HF.codeShift) & 3] ?? 64,
    insn,
  );
  if (result !== "ok") {
    cpu.setLo(ENV.exception, 0);
    return false;
  }
  for (let k = 0; k < insn.operandCount; k++)
    if (insn.operands[k]!.kind === OPERAND.mem) return insn.mem.seg === SEG.ss;
  return STACK.has(insn.encoding.name);
}
