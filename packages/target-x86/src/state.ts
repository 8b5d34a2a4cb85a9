/**
 * Where each piece of a vCPU's state lives in its state block ("env"), in bytes from its base.
 *
 * The first 128 bytes belong to the execution engine; the CPU owns 128..4095. Registers have 8-byte slots (low half
 * first) on i386 too, so that what is not translated code is one piece of code for both word sizes.
 */
import { ENV, type EnvField } from "@mimus/tcg";

/** Width of a general register in bits: 64 for x86_64 (all modes), 32 for i386. */
export type WordSize = 32 | 64;

/** Register numbers of the general registers, as encodings have them. */
export const REG = { ax: 0, cx: 1, dx: 2, bx: 3, sp: 4, bp: 5, si: 6, di: 7 } as const;
/** Segment registers, as encodings have them, and the two system segments. */
export const SEG = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5, ldtr: 6, tr: 7 } as const;
/** Names of {@link SEG}, in order. */
export const SEG_NAMES = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"] as const;

/** Byte offset of general register `n` (0..15). */
export const regOffset = (n: number): number => 128 + 8 * n;
/** Byte offset of segment register `n`: { u32 selector, u32 limit in bytes, u32 attributes, u32 0, u64 base }. */
export const segOffset = (n: number): number => 512 + 24 * n;
/** Fields of a segment register, from {@link segOffset}. Attributes: bits 8..23 of the descriptor's second word, in place. */
export const SEG_FIELD = { selector: 0, limit: 4, attr: 8, base: 16 } as const;
/** Byte offset of the low 128 bits of vector register `n` (0..15). */
export const xmmOffset = (n: number): number => 1024 + 16 * n;
/** Byte offset of bits 128..255 of vector register `n` (0..15). */
export const ymmhOffset = (n: number): number => 1280 + 16 * n;
/** Byte offset of x87 register `n` (physical, 0..7): u64 significand (also MMX register n), u16 sign and exponent. */
export const fprOffset = (n: number): number => 1536 + 16 * n;

/** Byte offsets of everything else. Slots are 8 bytes unless the comment says 4. */
export const OFF = {
  /** Linear address of the next instruction: CS.base + (R|E)IP. */
  pc: 256,
  /** Operands of the lazy flags: see flags.ts. */
  ccDst: 264,
  ccSrc: 272,
  ccSrc2: 280,
  /** 4: which operation the flags are of. */
  ccOp: 288,
  /** 4: direction: 1 or -1 (DF clear, set). */
  df: 292,
  /** 4: EFLAGS without CF PF AF ZF SF OF and DF, which are in the fields above; bit 1 is set. */
  eflags: 296,
  /** 4: error code of the exception being raised, and -1 for none. */
  errorCode: 300,
  /** 4: bytes from the start of the instruction to the next one, when an interrupt is raised by INT n, INT3, INTO, INT1; else 0. */
  softLength: 304,
  /** 4: bits of {@link PENDING}. */
  pending: 308,
  /** 4: current privilege level, 0..3. */
  cpl: 312,
  /** 4: SSE control and status. */
  mxcsr: 316,
  cr0: 320,
  cr2: 328,
  cr3: 336,
  cr4: 344,
  cr8: 352,
  xcr0: 360,
  efer: 368,
  dr0: 376, // dr0..dr3: 4 slots
  dr6: 408,
  dr7: 416,
  gdtBase: 424,
  idtBase: 432,
  /** 4 */
  gdtLimit: 440,
  /** 4 */
  idtLimit: 444,
  /** 4: x87: control word, status word without TOP, TOP (0..7), opcode of the last instruction. */
  fpuCw: 448,
  fpuSw: 452,
  fpuTop: 456,
  fpuOpcode: 460,
  fpuIp: 464,
  fpuDp: 472,
  /** 4 each: selectors of the two pointers. */
  fpuCs: 480,
  fpuDs: 484,
  /** 8 bytes, one per physical register: 0 in use, 1 empty. */
  fpuEmpty: 488,
  /** 4: PKRU. */
  pkru: 496,
  /** 4: SMBASE. */
  smbase: 500,
  // MSRs
  star: 1664,
  lstar: 1672,
  cstar: 1680,
  /** 4 */
  fmask: 1688,
  /** 4 */
  sysenterCs: 1692,
  sysenterEsp: 1696,
  sysenterEip: 1704,
  kernelGsBase: 1712,
  tscAux: 1720,
  tscOffset: 1728,
  pat: 1736,
  apicBase: 1744,
  miscEnable: 1752,
  xss: 1760,
  /** Monitored address, and whether MONITOR has armed it (4). */
  monitor: 1768,
  monitorArmed: 1776,
  /** First byte for what only system/ (1792..2559), float/ (2560..3071) and sse (3072..3583) use: they declare it in their own files. */
  system: 1792,
  float: 2560,
  vector: 3072,
  end: 3584,
  // Not of the architecture, in no snapshot: what is kept so that WebAssembly sees it.
  /** 4: whether deliveries of interrupts are to be shown. */
  logged: 3584,
  /** Answers of CPUID: {@link CPUID_KEPT} × { leaf, whether it is there, EAX, EBX, ECX, EDX }, 4 bytes each. */
  cpuid: 3592,
  /**
   * What assembly/walk.ts needs: kind of paging, bits of {@link WALK} (4 each), physical address of the highest table, bits of an
   * entry of 64 bits that must be 0 (8 each); RAM whose pages are known: number of the first, how many, place in the machine memory (4 each).
   */
  walkKind: 3976,
  walkMode: 3980,
  walkRoot: 3984,
  walkReserved: 3992,
  ramFirst: 4000,
  ramPages: 4004,
  ramPlace: 4008,
} as const;

/** A power of two. */
export const CPUID_KEPT = 16;

/** What of the mode page walks follow: CR0.WP, CR4.SMEP, CR4.SMAP, CR4.PGE, CR4.PSE, pages of 1 GiB. */
export const WALK = { wp: 1, smep: 2, smap: 4, pge: 8, pse: 16, gigabyte: 32 } as const;

/** Bits of {@link OFF.pending}. */
export const PENDING = {
  intr: 1, nmi: 2, smi: 4, init: 8, sipi: 16, nmiBlocked: 32, reset: 64,
  /** Waits for a start-up IPI, whose vector is in bits 15:8 when `sipi` is set. */
  waitSipi: 128,
  /** NMIs were blocked already when the handler of an SMI began. */
  nmiBlockedBefore: 0x10000,
} as const; // prettier-ignore

/** EFLAGS bits. Source: Intel SDM volume 1 (2023), 3.4.3. */
export const FLAG = {
  cf: 1, pf: 4, af: 16, zf: 64, sf: 128, tf: 256, if: 512, df: 1024, of: 2048, iopl: 0x3000, nt: 0x4000,
  rf: 0x10000, vm: 0x20000, ac: 0x40000, vif: 0x80000, vip: 0x100000, id: 0x200000,
} as const; // prettier-ignore

/** TLBs: supervisor (SMAP in force where CR4 has it), user, supervisor with SMAP suspended by EFLAGS.AC. */
export const MMU = { kernel: 0, user: 1, kernelNoSmap: 2 } as const;
/** How many TLBs of {@link MMU} a vCPU has. */
export const MMU_INDEXES = 3;
/** Every mmu index, as a mask. */
export const ALL_INDEXES = 0b111;

/**
 * Layout of `tbFlags`: the part of the CPU's state that translated code is specialised on. `hflags.ts` in system/ computes
 * it afresh after whatever changes one of its sources.
 */
export const HF = {
  /** Bits 2:0: mmu index of fetches and of data accesses. */
  mmu: 7,
  /** Bits 4:3: code size: 0 16-bit, 1 32-bit, 2 64-bit. */
  codeShift: 3,
  /** Stack addresses are 32 bits (without 64-bit code; else 16). */
  ss32: 1 << 5,
  /** CS.base is not 0. */
  csBase: 1 << 6,
  /** A base of ES, SS or DS is not 0. Those of FS and GS are always added. */
  addSeg: 1 << 7,
  /** A limit or type of a segment must be looked at on each access: it is not flat, or not writable, or not readable. */
  checkSeg: 1 << 8,
  /** Bits 10:9: CPL. */
  cplShift: 9,
  /** CR0.PE. */
  pe: 1 << 11,
  /** EFLAGS.VM. */
  vm: 1 << 12,
  /** Bits 14:13: IOPL. */
  ioplShift: 13,
  /** EFLAGS.TF: a block is one instruction, and ends in #DB. */
  tf: 1 << 15,
  /** The instruction stands in the shadow of STI or of a load of SS. */
  shadow: 1 << 16,
  ts: 1 << 17,
  em: 1 << 18,
  mp: 1 << 19,
  /** CR4.OSFXSR. */
  osfxsr: 1 << 20,
  /** CR4.OSXSAVE and XCR0 allow AVX. */
  avx: 1 << 21,
  /** MXCSR is as compilers leave it: all masked, nearest, no FZ, no DAZ. */
  mxcsrFast: 1 << 22,
  /** In system management mode. */
  smm: 1 << 23,
  /** A data or I/O breakpoint of DR7 is on. */
  breakpoints: 1 << 24,
  /** CR0.AM, EFLAGS.AC and CPL 3: alignment is checked. */
  alignCheck: 1 << 25,
  /** All x87 exceptions are masked: none can be pending. */
  x87Fast: 1 << 26,
  /** Outside 64-bit code: FS, GS is writable data of 4 GiB, so that no access need look at it. */
  fsWide: 1 << 27,
  gsWide: 1 << 28,
  /**
   * With `mxcsrFast`: PE is known to be set, so that it does not matter whether a result is exact. Where the bit is clear PE may be set all the
   * same: below CPL 3, and after a system call, until a result is not exact.
   */
  mxcsrInexact: 1 << 29,
} as const;

const NAMES32 = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const NAMES64 = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"]; // prettier-ignore

/** Names of the globals of the general registers. */
export function regNames(word: WordSize): readonly string[] {
  return word === 64 ? NAMES64 : NAMES32;
}

/** The typed slots that translated code names, for one word size. */
export function globals(word: WordSize): EnvField[] {
  const type = word === 64 ? "i64" : "i32";
  const vectors = word === 64 ? 16 : 8;
  const fields: EnvField[] = regNames(word).map((name, n) => ({ name, offset: regOffset(n), type }));
  fields.push(
    { name: "pc", offset: OFF.pc, type },
    { name: "cc_dst", offset: OFF.ccDst, type },
    { name: "cc_src", offset: OFF.ccSrc, type },
    { name: "cc_src2", offset: OFF.ccSrc2, type },
    { name: "cc_op", offset: OFF.ccOp, type: "i32" },
    { name: "df", offset: OFF.df, type: "i32" },
    { name: "eflags", offset: OFF.eflags, type: "i32" },
    { name: "tbflags", offset: ENV.tbFlags, type: "i32" },
    { name: "mxcsr", offset: OFF.mxcsr, type: "i32" },
    { name: "fpu_top", offset: OFF.fpuTop, type: "i32" },
  );
  for (let n = 0; n < 6; n++)
    fields.push({ name: `${SEG_NAMES[n]!}_base`, offset: segOffset(n) + SEG_FIELD.base, type });
  for (let n = 0; n < vectors; n++) fields.push({ name: `xmm${n}`, offset: xmmOffset(n), type: "v128" });
  for (let n = 0; n < vectors; n++) fields.push({ name: `ymmh${n}`, offset: ymmhOffset(n), type: "v128" });
  return fields;
}
