/**
 * Where each piece of hart state lives in the vCPU's state block ("env"), in bytes from its base.
 *
 * The first 128 bytes belong to the execution engine; a hart owns 128..4095. Every 64-bit CSR has an 8-byte slot
 * (low half first) on RV32 too, so that the CSR file is one piece of code for both.
 */
import { ENV, type EnvField } from "@mimus/tcg";

/** Register width of a hart in bits. */
export type Xlen = 32 | 64;

/** Byte offset of integer register x`n` (x0's slot exists and always holds zero). */
export const xOffset = (n: number): number => 128 + 8 * n;
/** Byte offset of floating-point register f`n`: 64 bits, NaN-boxed. */
export const fOffset = (n: number): number => 392 + 8 * n;

/** Byte offsets of everything else a hart holds. Slots are 8 bytes unless the name is listed in {@link WORDS}. */
export const OFF = {
  pc: 384,
  fpRm: 648,
  fpFlags: 652,
  resAddr: 656,
  resVal: 664,
  // 32-bit words
  /** Current privilege: 0 U, 1 S, 3 M. */
  priv: 672,
  /** Interrupt lines as the wires stand, by mip bit number. */
  irqLines: 676,
  /** Interrupt bits that software wrote into mip: SSIP, STIP, SEIP. */
  mipSoft: 680,
  mie: 684,
  mideleg: 688,
  mcounteren: 692,
  scounteren: 696,
  mcountinhibit: 700,
  // 64-bit slots
  mstatus: 704,
  misa: 712,
  medeleg: 720,
  mtvec: 728,
  mscratch: 736,
  mepc: 744,
  mcause: 752,
  mtval: 760,
  stvec: 768,
  sscratch: 776,
  sepc: 784,
  scause: 792,
  stval: 800,
  satp: 808,
  menvcfg: 816,
  senvcfg: 824,
  stimecmp: 832,
  mseccfg: 840,
  /** Written value minus the running count, so that reads are count + offset. */
  mcycleOffset: 848,
  minstretOffset: 856,
  /** Fault value of the exception being raised. */
  trapValue: 864,
  pmpcfg: 872, // 16 bytes
  pmpaddr: 888, // 16 × 8 bytes
  /** The frm CSR (32-bit word). `fpRm` is what soft-float reads: translated code writes it before a call that rounds. */
  frm: 1016,
  end: 1024,
} as const;

/** Fields of {@link OFF} that are 32-bit words on every hart. */
const WORDS = [
  "fpRm",
  "fpFlags",
  "frm",
  "priv",
  "irqLines",
  "mipSoft",
  "mie",
  "mideleg",
  "mcounteren",
  "scounteren",
  "mcountinhibit",
] as const;

/**
 * Layout of `tbFlags`, the part of the hart's state that translated code is specialised on.
 *
 * bits 2:0 privilege (0 U, 1 S, 3 M), which is also the mmu index of instruction fetches · 4:3 mmu index of data
 * accesses (MPRV and SUM folded in) · 6:5 mstatus.FS · 10:8 frm.
 */
export const FLAGS = { privShift: 0, mmuShift: 3, fsShift: 5, frmShift: 8 } as const;

/** Translation regimes, one TLB each. Index 2 is S-mode with SUM set. */
export const MMU = { U: 0, S: 1, SUM: 2, M: 3 } as const;
/** Every mmu index, as a mask. */
export const ALL_INDEXES = 0b1111;
/** The mmu indexes that translate through satp. */
export const PAGED_INDEXES = 0b0111;

/** mstatus.FS and {@link FLAGS} values. Source: Privileged 20211203, 3.1.6.6. */
export const FS = { OFF: 0, INITIAL: 1, CLEAN: 2, DIRTY: 3 } as const;

/** Mask of FS in mstatus; or-ing it in makes the floating-point state dirty (SD is derived when read). */
export const MSTATUS_FS = 0x6000;

/**
 * The typed slots that translated code names, for one register width. `mstatus` is its low half: that is where FS is,
 * so a translator marks the state dirty with `mstatus |= MSTATUS_FS` and `tbflags |= FS.DIRTY << FLAGS.fsShift`.
 */
function globals(xlen: Xlen): EnvField[] {
  const word: EnvField["type"] = xlen === 64 ? "i64" : "i32";
  const fields: EnvField[] = [];
  for (let n = 1; n < 32; n++) fields.push({ name: `x${n}`, offset: xOffset(n), type: word });
  fields.push({ name: "pc", offset: OFF.pc, type: word });
  for (let n = 0; n < 32; n++) fields.push({ name: `f${n}`, offset: fOffset(n), type: "f64" });
  fields.push(
    { name: "fp_flags", offset: OFF.fpFlags, type: "i32" },
    { name: "res_addr", offset: OFF.resAddr, type: word },
    { name: "res_val", offset: OFF.resVal, type: word },
    { name: "tbflags", offset: ENV.tbFlags, type: "i32" },
    { name: "mstatus", offset: OFF.mstatus, type: "i32" },
    { name: "mscratch", offset: OFF.mscratch, type: word },
    { name: "sscratch", offset: OFF.sscratch, type: word },
    { name: "mcause", offset: OFF.mcause, type: word },
    { name: "scause", offset: OFF.scause, type: word },
    { name: "mtval", offset: OFF.mtval, type: word },
    { name: "stval", offset: OFF.stval, type: word },
  );
  return fields;
}

/** Slots for RV64 harts. */
export const RV64_GLOBALS: readonly EnvField[] = globals(64);
/** Slots for RV32 harts. */
export const RV32_GLOBALS: readonly EnvField[] = globals(32);

/** One field of a hart's state. `words` is 1 or 2; `wide` fields have a high half on RV32 too. */
export interface StateField {
  readonly name: string;
  readonly offset: number;
  readonly words: 1 | 2;
  readonly wide: boolean;
}

const WIDE = ["stimecmp", "menvcfg", "mcycleOffset", "minstretOffset", "pmpcfg"];

/** All that a snapshot holds, from the tables above. `trapValue` lives only within one instruction. */
export const STATE_FIELDS: readonly StateField[] = [
  ...Array.from({ length: 31 }, (_, i) => two(`x${i + 1}`, xOffset(i + 1), false)),
  ...Array.from({ length: 32 }, (_, n) => two(`f${n}`, fOffset(n), true)),
  ...Object.entries(OFF)
    .filter(([name]) => !["end", "trapValue", "pmpaddr", "pmpcfg"].includes(name))
    .map(([name, offset]): StateField =>
      (WORDS as readonly string[]).includes(name)
        ? { name, offset, words: 1, wide: false }
        : two(name, offset, WIDE.includes(name)),
    ),
  ...[0, 1].map((i) => two(`pmpcfg${8 * i}`, OFF.pmpcfg + 8 * i, true)),
  ...Array.from({ length: 16 }, (_, i) => two(`pmpaddr${i}`, OFF.pmpaddr + 8 * i, false)),
  { name: "halted", offset: ENV.halted, words: 1, wide: false },
];

function two(name: string, offset: number, wide: boolean): StateField {
  return { name, offset, words: 2, wide };
}
