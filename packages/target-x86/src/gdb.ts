/** Registers as debuggers see them, in the order that GDB numbers them. Source: GDB manual, "i386 Features". */
import type { X86Cpu } from "./cpu.ts";
import { fprOffset, OFF, regNames, regOffset, SEG, SEG_FIELD, segOffset, xmmOffset, type WordSize } from "./state.ts";
import { ipOf } from "./system/transfer.ts";

/** One register of a target description. */
export interface GdbRegister {
  readonly name: string;
  readonly bits: number;
  readonly type: string;
  readonly group?: "general" | "float" | "vector";
  read(cpu: X86Cpu): bigint;
  write(cpu: X86Cpu, value: bigint): void;
}

/** A group of registers under a name that GDB knows. */
export interface GdbFeature {
  readonly name: string;
  readonly registers: readonly GdbRegister[];
}

const low = (v: bigint): number => Number(BigInt.asIntN(32, v));
const high = (v: bigint): number => Number(BigInt.asIntN(32, v >> 32n));

function slot(name: string, offset: number, bits: number, type: string): GdbRegister {
  return {
    name,
    bits,
    type,
    read: (cpu) => BigInt.asUintN(bits, cpu.bits64(offset)),
    write: (cpu, v) => (bits > 32 ? cpu.set(offset, low(v), high(v)) : cpu.setLo(offset, low(v))),
  };
}

/** Control registers change what code is translated for. */
const derived = (r: GdbRegister): GdbRegister => ({
  ...r,
  write(cpu, v) {
    r.write(cpu, v);
    cpu.stateReplaced();
  },
});

const SEGMENTS = [SEG.cs, SEG.ss, SEG.ds, SEG.es, SEG.fs, SEG.gs] as const;
const SEGMENT_NAMES = ["cs", "ss", "ds", "es", "fs", "gs"];
/** RAX RBX RCX RDX RSI RDI RBP RSP of amd64; i386 has the order of encodings. */
const ORDER64 = [0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];

function core(word: WordSize): GdbRegister[] {
  const names = regNames(word);
  const order = word === 64 ? ORDER64 : [0, 1, 2, 3, 4, 5, 6, 7];
  const ip: GdbRegister = {
    name: word === 64 ? "rip" : "eip",
    bits: word,
    type: "code_ptr",
    read: (cpu) => (BigInt(cpu.hi(OFF.pc) >>> 0) << 32n) | BigInt(ipOf(cpu, cpu.lo(OFF.pc)) >>> 0),
    write: (cpu, v) => cpu.set(OFF.pc, (low(v) + cpu.lo(OFF.pc) - ipOf(cpu, cpu.lo(OFF.pc))) | 0, high(v)),
  };
  const flags: GdbRegister = {
    name: "eflags",
    bits: 32,
    type: "i386_eflags",
    read: (cpu) => BigInt(cpu.eflags >>> 0),
    write(cpu, v) {
      cpu.eflags = low(v);
      cpu.updateFlags();
    },
  };
  const st = Array.from({ length: 8 }, (_, n): GdbRegister => stack(n));
  return [
    ...order.map((n) => slot(names[n]!, regOffset(n), word, n === 4 || n === 5 ? "data_ptr" : "int")),
    ip,
    flags,
    ...SEGMENTS.map((n, k) => slot(SEGMENT_NAMES[k]!, segOffset(n) + SEG_FIELD.selector, 32, "int32")),
    ...st,
    slot("fctrl", OFF.fpuCw, 32, "int"),
    slot("fstat", OFF.fpuSw, 32, "int"),
    { name: "ftag", bits: 32, type: "int", group: "float", read: () => 0n, write() {} },
    slot("fiseg", OFF.fpuCs, 32, "int"),
    slot("fioff", OFF.fpuIp, 32, "int"),
    slot("foseg", OFF.fpuDs, 32, "int"),
    slot("fooff", OFF.fpuDp, 32, "int"),
    slot("fop", OFF.fpuOpcode, 32, "int"),
  ];
}

/** ST(n): 80 bits. */
function stack(n: number): GdbRegister {
  const at = (cpu: X86Cpu): number => fprOffset((cpu.lo(OFF.fpuTop) + n) & 7);
  return {
    name: `st${n}`,
    bits: 80,
    type: "i387_ext",
    group: "float",
    read: (cpu) => cpu.bits64(at(cpu)) | (BigInt(cpu.lo(at(cpu) + 8) & 0xffff) << 64n),
    write(cpu, v) {
      cpu.set(at(cpu), low(v), high(v));
      cpu.setLo(at(cpu) + 8, low(v >> 64n) & 0xffff);
    },
  };
}

function vector(n: number): GdbRegister {
  const at = xmmOffset(n);
  return {
    name: `xmm${n}`,
    bits: 128,
    type: "vec128",
    group: "vector",
    read: (cpu) => cpu.bits64(at) | (cpu.bits64(at + 8) << 64n),
    write(cpu, v) {
      cpu.set(at, low(v), high(v));
      cpu.set(at + 8, low(v >> 64n), high(v >> 64n));
    },
  };
}

/** The features of a CPU; QEMU adds bases and control registers to the core, under GDB's name for the system's. */
export function gdbFeatures(word: WordSize): GdbFeature[] {
  const base = (name: string, n: number): GdbRegister =>
    slot(name, segOffset(n) + SEG_FIELD.base, word, word === 64 ? "int64" : "int32");
  const control = (name: string, offset: number): GdbRegister =>
    derived(slot(name, offset, word, word === 64 ? "int64" : "int32"));
  return [
    {
      name: "org.gnu.gdb.i386.core",
      registers: [
        ...core(word),
        base("fs_base", SEG.fs),
        base("gs_base", SEG.gs),
        slot("k_gs_base", OFF.kernelGsBase, word, "int"),
        control("cr0", OFF.cr0),
        control("cr2", OFF.cr2),
        control("cr3", OFF.cr3),
        control("cr4", OFF.cr4),
        control("cr8", OFF.cr8),
        control("efer", OFF.efer),
      ],
    },
    {
      name: "org.gnu.gdb.i386.sse",
      registers: [
        ...Array.from({ length: word === 64 ? 16 : 8 }, (_, n) => vector(n)),
        derived(slot("mxcsr", OFF.mxcsr, 32, "i386_mxcsr")),
      ],
    },
  ];
}
