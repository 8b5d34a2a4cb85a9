/**
 * Bytes of WebAssembly code.
 * Source: WebAssembly Core Specification 3.0, chapter 5 "Binary Format".
 */

/** Value types in the binary format. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const EXTERNREF = 0x6f;
/** Block type without result. */
export const EMPTY = 0x40;

/** Opcodes that the encoder's users name; the rest comes from the table of IR operations. */
export const W = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  i32Load: 0x28,
  i64Load: 0x29,
  f32Load: 0x2a,
  f64Load: 0x2b,
  i32Load8S: 0x2c,
  i32Load8U: 0x2d,
  i32Load16S: 0x2e,
  i32Load16U: 0x2f,
  i64Load8S: 0x30,
  i64Load8U: 0x31,
  i64Load16S: 0x32,
  i64Load16U: 0x33,
  i64Load32S: 0x34,
  i64Load32U: 0x35,
  i32Store: 0x36,
  i64Store: 0x37,
  f32Store: 0x38,
  f64Store: 0x39,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtU: 0x4b,
  i32LeU: 0x4d,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i64LtU: 0x54,
  i64GeU: 0x5a,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  i32Extend8S: 0xc0,
  i32Extend16S: 0xc1,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
} as const;

const half = new Int32Array(2);
const wide = new BigInt64Array(half.buffer);

/** A growing buffer of bytes. */
export class Bytes {
  buffer: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 256) {
    this.buffer = new Uint8Array(capacity);
  }

  /** Empties it; the room stays, as buffers beyond 64 bytes cost the host a microsecond each. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    if (this.length + extra <= this.buffer.length) return;
    const bigger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + extra));
    bigger.set(this.buffer.subarray(0, this.length));
    this.buffer = bigger;
  }

  byte(b: number): void {
    if (this.length === this.buffer.length) this.reserve(1);
    this.buffer[this.length++] = b;
  }

  bytes(from: ArrayLike<number>): void {
    this.reserve(from.length);
    this.buffer.set(from, this.length);
    this.length += from.length;
  }

  append(other: Bytes): void {
    this.bytes(other.buffer.subarray(0, other.length));
  }

  /** Unsigned LEB128 of a 32-bit number. */
  u32(n: number): void {
    this.reserve(5);
    const out = this.buffer;
    let at = this.length;
    n >>>= 0;
    while (n >= 0x80) {
      out[at++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    out[at++] = n;
    this.length = at;
  }

  /** Signed LEB128 of a 32-bit number. */
  s32(n: number): void {
    this.reserve(5);
    const out = this.buffer;
    let at = this.length;
    n |= 0;
    for (;;) {
      const low = n & 0x7f;
      n >>= 7;
      if ((n === 0 && (low & 0x40) === 0) || (n === -1 && (low & 0x40) !== 0)) {
        out[at++] = low;
        break;
      }
      out[at++] = low | 0x80;
    }
    this.length = at;
  }

  /** Signed LEB128 of a 64-bit number given as two halves. */
  s64(lo: number, hi: number): void {
    lo |= 0;
    hi |= 0;
    if (hi === lo >> 31) return this.s32(lo);
    this.reserve(10);
    const out = this.buffer;
    let at = this.length;
    for (;;) {
      const low = lo & 0x7f;
      lo = (lo >>> 7) | (hi << 25);
      hi >>= 7;
      if ((hi === 0 && lo === 0 && (low & 0x40) === 0) || (hi === -1 && lo === -1 && (low & 0x40) !== 0)) {
        out[at++] = low;
        break;
      }
      out[at++] = low | 0x80;
    }
    this.length = at;
  }

  /** Writes over five bytes at `at`: an unsigned 32-bit number with as many leading zeros as that needs. */
  patch32(at: number, n: number): void {
    for (let i = 0; i < 5; i++) this.buffer[at + i] = ((n >>> (7 * i)) & 0x7f) | (i < 4 ? 0x80 : 0);
  }

  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i) & 0x7f);
  }

  /** The bytes so far; the view is valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.length);
  }
}

/** Stands for no local of a function. */
export const NO_LOCAL = -1;

/** Code of one function body: {@link Bytes} with instructions. */
export class Code extends Bytes {
  /**
   * Offsets of `if` and `br_if` and whether the condition mostly holds (1) or rarely (0), in turn. Engines that read such
   * hints move what is rare out of the way: the slow path of an operation then costs no registers elsewhere. Source:
   * WebAssembly Core Specification, Appendix "Custom Sections", metadata.code.branch_hint.
   */
  readonly hints: number[] = [];
  #pinned = NO_LOCAL;
  #constant = 0;

  /** A local that is never written holds this constant: it is what reads of it become, until another one is named. */
  pin(local: number, constant: number): void {
    this.#pinned = local;
    this.#constant = constant;
  }

  /** The `if` or `br_if` that is appended next is rarely taken. */
  rarely(): void {
    this.hints.push(this.length, 0);
  }
  /** The `if` or `br_if` that is appended next is mostly taken. */
  mostly(): void {
    this.hints.push(this.length, 1);
  }
  override clear(): void {
    super.clear();
    this.hints.length = 0;
  }
  override append(other: Bytes): void {
    if (other instanceof Code)
      for (let i = 0; i < other.hints.length; i += 2)
        this.hints.push(this.length + other.hints[i]!, other.hints[i + 1]!);
    super.append(other);
  }
  op(opcode: number): void {
    this.byte(opcode);
  }
  get(local: number): void {
    if (local === this.#pinned) return this.i32(this.#constant);
    this.byte(W.localGet);
    this.u32(local);
  }
  set(local: number): void {
    this.byte(W.localSet);
    this.u32(local);
  }
  tee(local: number): void {
    this.byte(W.localTee);
    this.u32(local);
  }
  i32(n: number): void {
    this.byte(W.i32Const);
    this.s32(n);
  }
  i64(lo: number, hi: number): void {
    this.byte(W.i64Const);
    this.s64(lo, hi);
  }
  i64big(n: bigint): void {
    wide[0] = n;
    this.i64(half[0]!, half[1]!);
  }
  /** A load or store; `align` is the log2 of the alignment that is promised. */
  mem(opcode: number, offset: number, align = 0): void {
    this.byte(opcode);
    this.u32(align);
    this.u32(offset);
  }
  block(type: number = EMPTY): void {
    this.byte(W.block);
    this.byte(type);
  }
  loop(type: number = EMPTY): void {
    this.byte(W.loop);
    this.byte(type);
  }
  if(type: number = EMPTY): void {
    this.byte(W.if);
    this.byte(type);
  }
  else(): void {
    this.byte(W.else);
  }
  end(): void {
    this.byte(W.end);
  }
  br(depth: number): void {
    this.byte(W.br);
    this.u32(depth);
  }
  brIf(depth: number): void {
    this.byte(W.brIf);
    this.u32(depth);
  }
  call(func: number): void {
    this.byte(W.call);
    this.u32(func);
  }
}
