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

/** Words from the CPU's state block to a frame's floating-point registers, or back: 64 bits each with D, else 32. */
function copyFloat(hart: Hart, frame: number, toFrame: boolean): void {
  const { i32 } = hart;
  const state = (hart.env + fOffset(0)) >> 2;
  if (hart.config.ext.d) {
    if (toFrame) i32.copyWithin(frame, state, state + 64);
    else i32.copyWithin(state, frame, frame + 64);
    return;
  }
  for (let n = 0; n < 32; n++) {
    if (toFrame) i32[frame + n] = i32[state + 2 * n]!;
    else hart.set(fOffset(n), i32[frame + n]!, -1);
  }
}

/** Writes a frame but for its siginfo at `at` in the machine memory, a multiple of 16. */
export function writeFrame(hart: Hart, at: number, alt: AltStack, maskLo: number, maskHi: number): void {
  const { rv64, i32 } = hart;
  const frame = FRAMES[rv64 ? 64 : 32];
  const word = rv64 ? 2 : 1;
  const base = at >>> 2;
  i32.fill(0, base + frame.ucontext / 4, base + frame.size / 4);
  const stack = base + frame.stack / 4;
  i32[stack] = alt.sp;
  i32[stack + word] = alt.flags;
  i32[stack + 2 * word] = alt.size;
  i32[base + frame.mask / 4] = maskLo;
  i32[base + frame.mask / 4 + 1] = maskHi;
  const regs = base + frame.regs / 4;
  const state = (hart.env + xOffset(0)) >> 2;
  if (rv64) i32.copyWithin(regs, state, state + 64);
  else for (let n = 1; n < 32; n++) i32[regs + n] = i32[state + 2 * n]!;
  // The frame's first register is pc, where the hart has x0.
  i32[regs] = hart.lo(OFF.pc);
  if (rv64) i32[regs + 1] = hart.hi(OFF.pc);
  const fpregs = base + frame.fpregs / 4;
  copyFloat(hart, fpregs, true);
  i32[fpregs + (hart.config.ext.d ? 64 : 32)] = (hart.lo(OFF.frm) << 5) | hart.lo(OFF.fpFlags);
}

/** Restores the registers that a frame at `at` holds. */
export function readFrame(hart: Hart, at: number): SignalReturn {
  const { rv64, i32 } = hart;
  const frame = FRAMES[rv64 ? 64 : 32];
  const word = rv64 ? 2 : 1;
  const base = at >>> 2;
  const regs = base + frame.regs / 4;
  const state = (hart.env + xOffset(0)) >> 2;
  if (rv64) i32.copyWithin(state + 2, regs + 2, regs + 64);
  else for (let n = 1; n < 32; n++) hart.set(xOffset(n), i32[regs + n]!, 0);
  hart.set(OFF.pc, i32[regs]!, rv64 ? i32[regs + 1]! : 0);
  const fpregs = base + frame.fpregs / 4;
  copyFloat(hart, fpregs, false);
  const fcsr = i32[fpregs + (hart.config.ext.d ? 64 : 32)]!;
  hart.setLo(OFF.fpFlags, fcsr & 31);
  hart.setLo(OFF.frm, (fcsr >> 5) & 7);
  hart.updateFlags();
  const stack = base + frame.stack / 4;
  const pointer = (n: number): number => (i32[n]! >>> 0) + (rv64 ? (i32[n + 1]! >>> 0) * 2 ** 32 : 0);
  return {
    maskLo: i32[base + frame.mask / 4]!,
    maskHi: i32[base + frame.mask / 4 + 1]!,
    altStack: { sp: pointer(stack), flags: i32[stack + word]!, size: pointer(stack + 2 * word) },
  };
}
