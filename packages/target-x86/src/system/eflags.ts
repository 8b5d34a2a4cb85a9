/** EFLAGS as one value, from and to the lazy form. */
import type { X86Cpu } from "../cpu.ts";
import { CC } from "../flags.ts";
import { FLAG, OFF } from "../state.ts";

/** The six arithmetic flags. */
const ARITHMETIC: number = FLAG.cf | FLAG.pf | FLAG.af | FLAG.zf | FLAG.sf | FLAG.of;

/** PF of a byte. */
function parity(byte: number): number {
  let b = byte & 0xff;
  b ^= b >> 4;
  return (0x9669 >> (b & 15)) & 1 ? FLAG.pf : 0;
}

/** The arithmetic flags that the lazy form stands for. */
function arithmeticFlags(cpu: X86Cpu): number {
  const op = cpu.lo(OFF.ccOp);
  if (op & CC.carry) return (flagsOf(cpu, op & ~CC.carry, OFF.ccDst) & ~FLAG.cf) | (cpu.lo(OFF.ccSrc2) & 1);
  if ((op & CC.step) === 0) return flagsOf(cpu, op, OFF.ccDst);
  const carry = flagsOf(cpu, (op & 32 ? CC.sub : CC.add) | ((op >> 3) & 3), OFF.ccDst) & FLAG.cf;
  return (flagsOf(cpu, (op & 4 ? CC.dec : CC.inc) | (op & 3), OFF.ccSrc2) & ~FLAG.cf) | carry;
}

/** The same of an operation whose result stands at offset `at`. */
function flagsOf(cpu: X86Cpu, op: number, at: number): number {
  const dst = cpu.lo(at);
  const src = cpu.lo(OFF.ccSrc);
  switch (op) {
    case CC.eflags:
      return src & ARITHMETIC;
    case CC.clear:
      return FLAG.zf | FLAG.pf;
    case CC.adcx:
      return (src & ARITHMETIC & ~FLAG.cf) | (cpu.lo(OFF.ccSrc2) & 1);
    case CC.adox:
      return (src & ARITHMETIC & ~FLAG.of) | (cpu.lo(OFF.ccSrc2) & 1 ? FLAG.of : 0);
    default:
  }
  const size = op & 3;
  const kind = op & ~3;
  const wide = size === 3;
  // The word that has the sign, at bit `top`; and the same with the bits above cut off.
  const top = wide ? 31 : (8 << size) - 1;
  const mask = size >= 2 ? -1 : (1 << (top + 1)) - 1;
  const d = (wide ? cpu.hi(at) : dst) & mask;
  const s = (wide ? cpu.hi(OFF.ccSrc) : src) & mask;
  const dl = wide ? dst : 0;
  const sl = wide ? src : 0;
  const zero = (d | dl) === 0;
  let flags = parity(dst) | (zero ? FLAG.zf : 0) | ((d >>> top) & 1 ? FLAG.sf : 0);
  const carry = cpu.lo(OFF.ccSrc2) & 1;
  switch (kind) {
    case CC.add:
    case CC.adc: {
      // First operand = result - second - carry in.
      const c = kind === CC.adc ? carry : 0;
      const below = d >>> 0 < s >>> 0 || (d === s && dl >>> 0 < sl >>> 0);
      const same = d === s && dl === sl;
      if (below || (c === 1 && same)) flags |= FLAG.cf;
      const a = firstOfSum(d, s, dl, sl, c) & mask;
      if ((((a ^ d) & (s ^ d)) >>> top) & 1) flags |= FLAG.of;
      flags |= ((dst - src - c) ^ src ^ dst) & FLAG.af;
      return flags;
    }
    case CC.sub:
    case CC.sbb: {
      const c = kind === CC.sbb ? carry : 0;
      const al = wide ? (dl + sl + c) | 0 : 0;
      const carryLow = wide ? ((dl >>> 0) + (sl >>> 0) + c > 0xffff_ffff ? 1 : 0) : c;
      const a = (d + s + carryLow) & mask;
      const less = a >>> 0 < s >>> 0 || (a === s && al >>> 0 < sl >>> 0);
      const same = a === s && al === sl;
      if (less || (c === 1 && same)) flags |= FLAG.cf;
      if ((((a ^ s) & (a ^ d)) >>> top) & 1) flags |= FLAG.of;
      flags |= ((dst + src + c) ^ src ^ dst) & FLAG.af;
      return flags;
    }
    case CC.logic:
      return flags;
    case CC.inc:
      if (d === 1 << top && dl === 0) flags |= FLAG.of;
      if ((dst & 15) === 0) flags |= FLAG.af;
      return flags | (src & 1);
    case CC.dec:
      if (d === (((1 << top) - 1) & mask) && (!wide || dl === -1)) flags |= FLAG.of;
      if ((dst & 15) === 15) flags |= FLAG.af;
      return flags | (src & 1);
    case CC.shl:
      if ((s >>> top) & 1) flags |= FLAG.cf;
      if (((s ^ d) >>> top) & 1) flags |= FLAG.of;
      return flags | FLAG.af;
    case CC.sar:
      if (src & 1) flags |= FLAG.cf;
      if (((d >>> top) ^ (d >>> (top - 1))) & 1) flags |= FLAG.of;
      return flags | FLAG.af;
    case CC.mul:
      return (s | sl) !== 0 ? flags | FLAG.cf | FLAG.of : flags;
    case CC.bmi:
      return (s | sl) === 0 ? flags | FLAG.cf : flags;
    case CC.count:
      return (zero ? FLAG.zf : 0) | ((s | sl) === 0 ? FLAG.cf : 0);
    default:
      return zero ? FLAG.zf : 0;
  }
}

/** High (or only) word of dst - src - carry. */
function firstOfSum(d: number, s: number, dl: number, sl: number, carry: number): number {
  const borrow = (dl >>> 0) - (sl >>> 0) - carry < 0 ? 1 : 0;
  return d - s - borrow;
}

/** EFLAGS, whole. */
export function readEflags(cpu: X86Cpu): number {
  return cpu.lo(OFF.eflags) | arithmeticFlags(cpu) | (cpu.lo(OFF.df) < 0 ? FLAG.df : 0);
}

/** Writes all of EFLAGS; reserved bits come out right. Call `updateFlags` after it. */
export function writeEflags(cpu: X86Cpu, value: number): void {
  cpu.set(OFF.ccSrc, value & ARITHMETIC, 0);
  cpu.setLo(OFF.ccOp, CC.eflags);
  cpu.setLo(OFF.df, value & FLAG.df ? -1 : 1);
  cpu.setLo(OFF.eflags, (value & 0x3f7300) | 2);
}

/** Flags that IRET, POPF may change at a privilege level. */
export function writableFlags(cpl: number, iopl: number): number {
  const always =
    FLAG.cf | FLAG.pf | FLAG.af | FLAG.zf | FLAG.sf | FLAG.tf | FLAG.df | FLAG.of | FLAG.nt | FLAG.ac | FLAG.id;
  return always | (cpl <= iopl ? FLAG.if : 0) | (cpl === 0 ? FLAG.iopl : 0);
}
