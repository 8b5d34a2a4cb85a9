/** CPUID: what the model says, and what of it follows the state. Source: Intel SDM volume 2 (2023), CPUID. */
import type { X86Cpu } from "../cpu.ts";
import { CPUID_KEPT, OFF, REG, regOffset } from "../state.ts";
import { CR4 } from "./bits.ts";

/** Ends of the components in the XSAVE area: AVX, MPX (two), PKRU. Source: SDM volume 1, 13.5. */
const ENDS: readonly (readonly [number, number])[] = [
  [4, 832],
  [8, 1024],
  [16, 1088],
  [0x200, 2696],
];

/** Bytes of the XSAVE area of the components in a mask. */
export function xsaveBytes(mask: number): number {
  let bytes = 576;
  for (const [bit, end] of ENDS) if (mask & bit) bytes = end;
  return bytes;
}

/** Where assembly/cpuid.ts looks for the answer to a leaf. */
const place = (leaf: number): number => OFF.cpuid + ((leaf ^ (leaf >>> 28)) & (CPUID_KEPT - 1)) * 24;

/** Keeps what the model answers to a leaf without subleaves, for assembly/cpuid.ts. */
function keep(cpu: X86Cpu, leaf: number, answer: readonly [number, number, number, number]): void {
  const at = place(leaf);
  cpu.set(at, leaf, 1);
  const [eax, ebx, ecx, edx] = answer;
  cpu.set(at + 8, eax, leaf === 1 ? (ebx & 0x00ff_ffff) | (cpu.config.apicId << 24) : ebx);
  cpu.set(at + 16, ecx, edx);
}

/** CPUID: leaf and subleaf are in EAX and ECX, the answer goes to EAX, EBX, ECX, EDX. */
export function cpuid(cpu: X86Cpu): void {
  const leaf = cpu.lo(regOffset(REG.ax)) >>> 0;
  const subleaf = cpu.lo(regOffset(REG.cx)) >>> 0;
  const answer = cpu.config.cpuid(leaf, subleaf);
  if (cpu.config.subleaves?.(leaf) === false) keep(cpu, leaf, answer);
  let ebx = answer[1];
  let ecx = answer[2];
  const cr4 = cpu.lo(OFF.cr4);
  if (leaf === 1) {
    ebx = (ebx & 0x00ff_ffff) | (cpu.config.apicId << 24);
    ecx = cr4 & CR4.OSXSAVE ? ecx | 0x0800_0000 : ecx & ~0x0800_0000;
  } else if (leaf === 7 && subleaf === 0) {
    ecx = cr4 & CR4.PKE ? ecx | 16 : ecx & ~16;
  } else if (leaf === 13 && subleaf === 0 && answer[1] !== 0) ebx = xsaveBytes(cpu.lo(OFF.xcr0));
  cpu.set(regOffset(REG.ax), answer[0], 0);
  cpu.set(regOffset(REG.bx), ebx, 0);
  cpu.set(regOffset(REG.cx), ecx, 0);
  cpu.set(regOffset(REG.dx), answer[3], 0);
}
