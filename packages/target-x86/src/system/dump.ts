/** A CPU's registers as QEMU's monitor shows them. */
import { ENV } from "@mimus/tcg";
import type { X86Cpu } from "../cpu.ts";
import { FLAG, fprOffset, HF, OFF, regOffset, SEG_FIELD, segOffset, xmmOffset, ymmhOffset } from "../state.ts";
import { DESC, isLong } from "./descriptor.ts";
import { ipOf } from "./transfer.ts";

const NAMES = ["ES ", "CS ", "SS ", "DS ", "FS ", "GS ", "LDT", "TR "];
const TYPES32 = ("Reserved TSS16-avl LDT TSS16-busy CallGate16 TaskGate IntGate16 TrapGate16 " +
  "Reserved TSS32-avl Reserved TSS32-busy CallGate32 Reserved IntGate32 TrapGate32").split(" "); // prettier-ignore
const TYPES64 = ("<hiword> Reserved LDT Reserved Reserved Reserved Reserved Reserved Reserved " +
  "TSS64-avl Reserved TSS64-busy CallGate64 Reserved IntGate64 TrapGate64").split(" "); // prettier-ignore

const hex = (value: number, digits = 8): string => (value >>> 0).toString(16).padStart(digits, "0");

/** What `info registers` prints of a CPU, behind its number. */
export function registerText(cpu: X86Cpu): string {
  const flags = cpu.lo(ENV.tbFlags);
  const wide = ((flags >>> HF.codeShift) & 3) === 2;
  const slot = (offset: number): string => hex(cpu.hi(offset)) + hex(cpu.lo(offset));
  const short = (offset: number): string => (wide ? slot(offset) : hex(cpu.lo(offset)));
  const lines = [...generalLines(cpu, short, wide), statusLine(cpu, flags, wide)];
  for (let n = 0; n < 8; n++) lines.push(segmentLine(cpu, n, wide));
  const long = isLong(cpu);
  const base = (offset: number): string => (wide || long ? slot(offset) : hex(cpu.lo(offset)));
  lines.push(`GDT=     ${base(OFF.gdtBase)} ${hex(cpu.lo(OFF.gdtLimit))}`);
  lines.push(`IDT=     ${base(OFF.idtBase)} ${hex(cpu.lo(OFF.idtLimit))}`);
  lines.push(`CR0=${hex(cpu.lo(OFF.cr0))} CR2=${base(OFF.cr2)} CR3=${base(OFF.cr3)} CR4=${hex(cpu.lo(OFF.cr4))}`);
  const debug = (offset: number): string => (cpu.wide ? slot(offset) : hex(cpu.lo(offset)));
  lines.push([0, 1, 2, 3].map((n) => `DR${n}=${debug(OFF.dr0 + 8 * n)} `).join(""));
  lines.push(`DR6=${debug(OFF.dr6)} DR7=${debug(OFF.dr7)}`, `EFER=${slot(OFF.efer)}`);
  return [...lines, ...floatLines(cpu), ...vectorLines(cpu, wide), ""].join("\n");
}

function generalLines(cpu: X86Cpu, show: (offset: number) => string, wide: boolean): string[] {
  const prefix = wide ? "R" : "E";
  const row = (names: readonly string[], numbers: readonly number[]): string =>
    names.map((name, n) => `${name}=${show(regOffset(numbers[n]!))}`).join(" ");
  const lines = [
    row(
      ["AX", "BX", "CX", "DX"].map((n) => prefix + n),
      [0, 3, 1, 2],
    ),
    row(
      ["SI", "DI", "BP", "SP"].map((n) => prefix + n),
      [6, 7, 5, 4],
    ),
  ];
  if (wide)
    lines.push(row(["R8 ", "R9 ", "R10", "R11"], [8, 9, 10, 11]), row(["R12", "R13", "R14", "R15"], [12, 13, 14, 15]));
  return lines;
}

function statusLine(cpu: X86Cpu, flags: number, wide: boolean): string {
  const e = cpu.eflags;
  const letters = [FLAG.df, FLAG.of, FLAG.sf, FLAG.zf, FLAG.af, FLAG.pf, FLAG.cf]
    .map((bit, n) => (e & bit ? "DOSZAPC"[n] : "-"))
    .join("");
  const ip = hex(ipOf(cpu, cpu.lo(OFF.pc)));
  const names = wide ? `RIP=${hex(cpu.hi(OFF.pc))}${ip} RFL` : `EIP=${ip} EFL`;
  const bit = (mask: number): number => (flags & mask ? 1 : 0);
  return (
    `${names}=${hex(e)} [${letters}] CPL=${cpu.cpl} II=${bit(HF.shadow)} A20=${cpu.walker.a20 ? 1 : 0} ` +
    `SMM=${bit(HF.smm)} HLT=${cpu.lo(ENV.halted) ? 1 : 0}`
  );
}

function segmentLine(cpu: X86Cpu, n: number, wide: boolean): string {
  const at = segOffset(n);
  const attr = cpu.lo(at + SEG_FIELD.attr);
  const base = wide ? hex(cpu.hi(at + SEG_FIELD.base)) : "";
  const text =
    `${NAMES[n]}=${hex(cpu.lo(at + SEG_FIELD.selector), 4)} ${base}${hex(cpu.lo(at + SEG_FIELD.base))} ` +
    `${hex(cpu.lo(at + SEG_FIELD.limit))} ${hex(attr & 0xffff00)}`;
  if ((cpu.lo(OFF.cr0) & 1) === 0 || (attr & DESC.p) === 0) return text;
  const letter = (bit: number, name: string): string => (attr & bit ? name : "-");
  const dpl = ` DPL=${(attr >>> 13) & 3} `;
  if ((attr & DESC.s) === 0) return text + dpl + (isLong(cpu) ? TYPES64 : TYPES32)[(attr >>> 8) & 15]!;
  const kind =
    attr & DESC.code
      ? (attr & DESC.l ? "CS64" : attr & DESC.db ? "CS32" : "CS16") +
        ` [${letter(DESC.conforming, "C")}${letter(DESC.rw, "R")}`
      : (attr & DESC.db || isLong(cpu) ? "DS  " : "DS16") + ` [${letter(DESC.conforming, "E")}${letter(DESC.rw, "W")}`;
  return `${text}${dpl}${kind}${letter(DESC.accessed, "A")}]`;
}

function floatLines(cpu: X86Cpu): string[] {
  const { u8, u16 } = cpu.engine;
  let tags = 0;
  for (let n = 0; n < 8; n++) if (u8[cpu.env + OFF.fpuEmpty + n] === 0) tags |= 1 << n;
  const top = cpu.lo(OFF.fpuTop);
  const status = (cpu.lo(OFF.fpuSw) & ~0x3800) | (top << 11);
  const lines = [
    `FCW=${hex(cpu.lo(OFF.fpuCw) & 0xffff, 4)} FSW=${hex(status & 0xffff, 4)} [ST=${top}] FTW=${hex(tags, 2)} MXCSR=${hex(cpu.lo(OFF.mxcsr))}`,
  ];
  const cells = Array.from({ length: 8 }, (_, n) => {
    const at = fprOffset(n);
    return `FPR${n}=${hex(cpu.hi(at))}${hex(cpu.lo(at))} ${hex(u16[(cpu.env + at + 8) >> 1]!, 4)}`;
  });
  for (let n = 0; n < 8; n += 2) lines.push(`${cells[n]} ${cells[n + 1]}`);
  return lines;
}

function vectorLines(cpu: X86Cpu, wide: boolean): string[] {
  const count = wide ? 16 : 8;
  const quad = (at: number): string => hex(cpu.hi(at)) + hex(cpu.lo(at));
  const both = (at: number): string => `${quad(at + 8)} ${quad(at)}`;
  const number = (n: number): string => String(n).padStart(2, "0");
  const all = Array.from({ length: count }, (_, n) => n);
  if (cpu.lo(OFF.xcr0) & 4) return all.map((n) => `YMM${number(n)}=${both(ymmhOffset(n))} ${both(xmmOffset(n))}`);
  const cells = all.map((n) => `XMM${number(n)}=${both(xmmOffset(n))}`);
  return all.filter((n) => n % 2 === 0).map((n) => `${cells[n]} ${cells[n + 1]}`);
}
