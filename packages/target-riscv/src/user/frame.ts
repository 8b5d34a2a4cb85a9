/**
 * The frame of a signal handler. Source: Linux, arch/riscv/include/uapi/asm/{sigcontext,ucontext,ptrace}.h (layout).
 *
 * siginfo (128 bytes), then the ucontext: flags, link, stack, mask in a field of 128 bytes, and at a multiple of 16 the
 * registers: pc, x1..x31, then the floating-point state, which has room for quad precision.
 */
import type { Hart } from "../hart.ts";
import { OFF, fOffset, xOffset } from "../state.ts";
import type { AltStack, SignalReturn } from "./contract.ts";

const align = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Byte offsets in a frame. */
interface Frame {
  readonly size: number;
  readonly siginfo: number;
  readonly ucontext: number;
  readonly stack: number;
  readonly mask: number;
  readonly regs: number;
  readonly fpregs: number;
}

const SIGINFO_SIZE = 128;
const MASK_FIELD = 128;
/** Union of the three formats: 64 quad halves, fcsr and three words. */
const FP_STATE = 64 * 8 + 16;

function frameFor(word: 4 | 8): Frame {
  const ucontext = align(SIGINFO_SIZE, 16);
  const stack = 2 * word;
  const mask = stack + 3 * word;
  const regs = align(mask + MASK_FIELD, 16);
  const fpregs = align(regs + 32 * word, 16);
  return {
    siginfo: 0,
    ucontext,
    stack: ucontext + stack,
    mask: ucontext + mask,
    regs: ucontext + regs,
    fpregs: ucontext + fpregs,
    size: align(ucontext + fpregs + FP_STATE, 16),
  };
}

/** Frames by register width. */
export const FRAMES: Readonly<Record<32 | 64, Frame>> = { 32: frameFor(4), 64: frameFor(8) };

const HAS_D = (hart: Hart): boolean => hart.config.ext.d;

function putWord(view: DataView, at: number, rv64: boolean, lo: number, hi: number): void {
  view.setInt32(at, lo, true);
  if (rv64) view.setInt32(at + 4, hi, true);
}

/** Writes a frame but for its siginfo. */
export function writeFrame(hart: Hart, view: DataView, at: number, alt: AltStack, maskLo: number, maskHi: number): void {
  const { rv64 } = hart;
  const frame = FRAMES[rv64 ? 64 : 32];
  const word = rv64 ? 8 : 4;
  new Uint8Array(view.buffer, view.byteOffset + at + frame.ucontext, frame.size - frame.ucontext).fill(0);
  putWord(view, at + frame.stack, rv64, alt.sp, 0);
  view.setInt32(at + frame.stack + word, alt.flags, true);
  putWord(view, at + frame.stack + 2 * word, rv64, alt.size, 0);
  view.setInt32(at + frame.mask, maskLo, true);
  view.setInt32(at + frame.mask + 4, maskHi, true);
  putWord(view, at + frame.regs, rv64, hart.lo(OFF.pc), hart.hi(OFF.pc));
  for (let n = 1; n < 32; n++)
    putWord(view, at + frame.regs + n * word, rv64, hart.lo(xOffset(n)), hart.hi(xOffset(n)));
  const wide = HAS_D(hart);
  const size = wide ? 8 : 4;
  for (let n = 0; n < 32; n++) putWord(view, at + frame.fpregs + n * size, wide, hart.lo(fOffset(n)), hart.hi(fOffset(n)));
  view.setInt32(at + frame.fpregs + 32 * size, (hart.lo(OFF.frm) << 5) | hart.lo(OFF.fpFlags), true);
}

/** Restores the registers that a frame holds. */
export function readFrame(hart: Hart, view: DataView, at: number): SignalReturn {
  const { rv64 } = hart;
  const frame = FRAMES[rv64 ? 64 : 32];
  const word = rv64 ? 8 : 4;
  const lo = (offset: number): number => view.getInt32(at + offset, true);
  const hi = (offset: number): number => (rv64 ? view.getInt32(at + offset + 4, true) : 0);
  hart.set(OFF.pc, lo(frame.regs), hi(frame.regs));
  for (let n = 1; n < 32; n++) hart.set(xOffset(n), lo(frame.regs + n * word), hi(frame.regs + n * word));
  const size = HAS_D(hart) ? 8 : 4;
  for (let n = 0; n < 32; n++) {
    const from = frame.fpregs + n * size;
    hart.set(fOffset(n), lo(from), size === 8 ? view.getInt32(at + from + 4, true) : -1);
  }
  const fcsr = lo(frame.fpregs + 32 * size);
  hart.setLo(OFF.fpFlags, fcsr & 31);
  hart.setLo(OFF.frm, (fcsr >> 5) & 7);
  hart.updateFlags();
  return {
    maskLo: lo(frame.mask),
    maskHi: view.getInt32(at + frame.mask + 4, true),
    altStack: { sp: pointer(view, at + frame.stack, rv64), flags: lo(frame.stack + word), size: pointer(view, at + frame.stack + 2 * word, rv64) },
  };
}

function pointer(view: DataView, at: number, rv64: boolean): number {
  return view.getUint32(at, true) + (rv64 ? view.getUint32(at + 4, true) * 2 ** 32 : 0);
}
