import type { Target } from "./contract.ts";
import type { CodeSource } from "./translate.ts";

/** Guest code as text: a line for each instruction. */
export function listing(target: Target, pc: bigint, source: CodeSource, length: number): string[] {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = source.byte(i);
  const lines: string[] = [];
  for (let at = 0; at < length;) {
    const insn = target.disassemble(pc + BigInt(at), bytes.subarray(at));
    lines.push(`0x${(pc + BigInt(at)).toString(16)}:  ${insn.text}\n`);
    at += Math.max(insn.length, 1);
  }
  return lines;
}
