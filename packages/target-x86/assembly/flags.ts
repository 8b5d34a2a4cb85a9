/** EFLAGS of the lazy form: what src/flags.ts says, for kinds that are not known while code is translated. */

function parity(v: i32): i32 {
  return ((i32(popcnt(v & 0xff)) & 1) ^ 1) << 2;
}

/** The arithmetic flags; of the operands only the low bytes of the operation's size count. */
export function cc_flags(op: i32, dst: i64, src: i64, src2: i64): i32 {
  if (op < 64) return flagsOf(op, dst, src, src2);
  if ((op & 128) != 0) return (flagsOf(op & 127, dst, src, src2) & ~1) | (i32(src2) & 1);
  const carry = flagsOf(((op & 32) != 0 ? 12 : 4) | ((op >> 3) & 3), dst, src, 0) & 1;
  return (flagsOf(((op & 4) != 0 ? 28 : 24) | (op & 3), src2, 0, 0) & ~1) | carry;
}

function flagsOf(op: i32, dst: i64, src: i64, src2: i64): i32 {
  if (op < 4) {
    const flags = i32(src) & 0x8d5;
    if (op == 0) return flags;
    if (op == 1) return 0x44;
    return op == 2 ? (flags & ~1) | (i32(src2) & 1) : (flags & ~0x800) | ((i32(src2) & 1) << 11);
  }
  const kind = op & ~3;
  const shift: i64 = 64 - (8 << (op & 3));
  // At the top of 64 bits, sign bit and comparisons are those of the size.
  const d: i64 = dst << shift;
  const s: i64 = src << shift;
  const carry: i64 = src2 & 1;
  const zero: i32 = i32(d == 0) << 6;
  if (kind == 52) return zero;
  if (kind == 48) return zero | i32(s == 0);
  const flags: i32 = zero | (d < 0 ? 0x80 : 0) | parity(i32(dst));
  switch ((kind - 4) >> 2) {
    case 0:
    case 1: {
      const c: i64 = kind == 8 ? carry : 0;
      const a: i64 = dst - src - c;
      const low = u64(d) < u64(s) || (c != 0 && d == s);
      const over: i64 = ((a << shift) ^ d) & (s ^ d);
      return flags | i32(low) | (i32(a ^ src ^ dst) & 16) | (over < 0 ? 0x800 : 0);
    }
    case 2:
    case 3: {
      const c: i64 = kind == 16 ? carry : 0;
      const a: i64 = dst + src + c;
      const top: i64 = a << shift;
      const low = u64(top) < u64(s) || (c != 0 && top == s);
      const over: i64 = (top ^ s) & (top ^ d);
      return flags | i32(low) | (i32(a ^ src ^ dst) & 16) | (over < 0 ? 0x800 : 0);
    }
    case 4:
      return flags;
    case 5:
      return flags | (i32(src) & 1) | (i32((dst & 15) == 0) << 4) | (d == i64.MIN_VALUE ? 0x800 : 0);
    case 6:
      return flags | (i32(src) & 1) | (i32((dst & 15) == 15) << 4) | (d == (i64.MAX_VALUE >> shift) << shift ? 0x800 : 0);
    case 7:
      return flags | 16 | (s < 0 ? 1 : 0) | ((s ^ d) < 0 ? 0x800 : 0);
    case 8:
      return flags | 16 | (i32(src) & 1) | (((d << 1) ^ d) < 0 ? 0x800 : 0);
    case 9:
      return flags | (s != 0 ? 0x801 : 0);
    default:
      return flags | i32(s == 0);
  }
}

/** The same of 32-bit operands. */
export function cc_flags32(op: i32, dst: i32, src: i32, src2: i32): i32 {
  return cc_flags(op, i64(dst), i64(src), i64(src2));
}
