/** Atomic operations on guest memory: plain loads and stores where one vCPU runs at a time, the host's own where threads do. */
import { Code, W } from "../wasm/encode.ts";
import { ATOMIC_BIG_ENDIAN } from "../wasm/memory-ops.ts";
import { bySize, halves, LOAD_U, pushEntry, pushTag, STORE } from "./access-code.ts";
import { ENV } from "./contract.ts";

/** Prefix of atomic instructions, and i64 compare and exchange by log2 of the width. Source: WebAssembly Core Specification 3.0 with threads, 5.4.7. */
const ATOMIC = 0xfe;
const CMPXCHG = [0x4c, 0x4d, 0x4e, 0x49] as const;
/** In the description of an atomic operation that JavaScript may do: it is a compare and exchange. */
export const EXCHANGE_IF = 0x10000;

/**
 * Leaves the host address of (env 0, address 1) in local `host`: from the TLB when an aligned location may be read
 * and written, else from JavaScript, and returns 0 when that raised. `entry` is an i32 local. With `operands` (i64
 * locals), JavaScript may do the whole operation.
 */
function address(c: Code, js: number, oi: number, host: number, entry: number, operands: readonly number[]): void {
  pushEntry(c, () => {
    c.get(oi);
    c.i32(8);
    c.op(W.i32ShrU);
    c.i32(7);
    c.op(W.i32And);
  });
  c.tee(entry);
  c.mem(W.i64Load, ENV.tlb, 3);
  pushTag(c, oi);
  c.op(W.i64Eq);
  c.get(entry);
  c.mem(W.i64Load, ENV.tlb, 3);
  c.get(entry);
  c.mem(W.i64Load, ENV.tlb + 8, 3);
  c.op(W.i64Eq);
  c.op(W.i32And);
  c.if();
  c.get(1);
  c.op(W.i32WrapI64);
  c.get(entry);
  c.mem(W.i32Load, ENV.tlb + 24, 2);
  c.op(W.i32Add);
  c.set(host);
  c.else();
  operands.forEach((local, n) => {
    c.get(0);
    c.get(local);
    c.mem(W.i64Store, ENV.scratch + 8 + 8 * n, 3);
  });
  c.get(0);
  halves(c, 1);
  if (operands.length > 0) {
    c.get(oi);
    c.i32(operands.length === 2 ? EXCHANGE_IF : 0);
    c.op(W.i32Or);
  } else {
    c.get(oi);
    c.i32(3);
    c.op(W.i32And);
    c.get(oi);
    c.i32(8);
    c.op(W.i32ShrU);
    c.i32(7);
    c.op(W.i32And);
    c.i32(4);
    c.op(W.i32Shl);
    c.op(W.i32Or);
  }
  c.call(js);
  c.tee(host);
  c.op(W.i32Eqz);
  c.if();
  c.i64(0, 0);
  c.op(W.return);
  c.end();
  if (operands.length > 0) {
    c.get(host);
    c.i32(1);
    c.op(W.i32Eq);
    c.if();
    c.get(0);
    c.mem(W.i64Load, ENV.scratch, 3);
    c.op(W.return);
    c.end();
  }
  c.end();
}

/** Appends the host's atomic compare and exchange: address, expected and replacement are on the stack. */
function exchangeIf(c: Code, log2: number): void {
  c.op(ATOMIC);
  c.u32(CMPXCHG[log2]!);
  c.u32(log2);
  c.u32(0);
}

/** (env, address, operand, oi) -> old value, zero-extended. Operations in the order of the table of IR operations. */
export function readModifyWrite(js: number, shared: boolean): Code {
  const [OPERAND, OI, HOST, OLD, NEW, ENTRY, SEEN] = [2, 3, 4, 5, 6, 7, 8] as const;
  const c = new Code();
  address(c, js, OI, HOST, ENTRY, shared ? [OPERAND] : []);
  bySize(c, OI, (log2) => {
    if (shared) c.loop();
    c.get(HOST);
    c.mem(LOAD_U[log2]!, 0);
    if (shared) c.tee(SEEN);
    c.set(OLD);
    swapIfBigEndian(c, log2, OI, OLD);
    modify(c, log2, OPERAND, OI, OLD, NEW);
    swapIfBigEndian(c, log2, OI, NEW);
    c.get(HOST);
    if (shared) {
      c.get(SEEN);
      c.get(NEW);
      exchangeIf(c, log2);
      c.get(SEEN);
      c.op(W.i64Ne);
      c.brIf(0);
      c.end();
    } else {
      c.get(NEW);
      c.mem(STORE[log2]!, 0);
    }
    c.get(OLD);
    c.op(W.return);
  });
  c.op(W.unreachable);
  return c;
}

/** Reverses the bytes of a location's value in an i64 local, when `oi` says that the location is big-endian. */
function swapIfBigEndian(c: Code, log2: number, oi: number, local: number): void {
  if (log2 === 0) return;
  c.get(oi);
  c.i32(ATOMIC_BIG_ENDIAN << 8);
  c.op(W.i32And);
  c.if();
  for (const [bits, mask] of [[8, 0x00ff00ff], [16, 0x0000ffff]] as const) {
    c.get(local);
    c.i64(mask, mask);
    c.op(W.i64And);
    c.i64(bits, 0);
    c.op(W.i64Shl);
    c.get(local);
    c.i64(bits, 0);
    c.op(W.i64ShrU);
    c.i64(mask, mask);
    c.op(W.i64And);
    c.op(W.i64Or);
    c.set(local);
  } // prettier-ignore
  c.get(local);
  c.i64(32, 0);
  c.op(W.i64Rotl);
  c.i64(64 - (8 << log2), 0);
  c.op(W.i64ShrU);
  c.set(local);
  c.end();
}

/** NEW = OLD op OPERAND. */
function modify(c: Code, log2: number, operand: number, oi: number, old: number, result: number): void {
  const extend = (local: number, signed: boolean): void => {
    c.get(local);
    if (log2 === 3) return;
    if (signed) c.op([W.i64Extend8S, W.i64Extend16S, W.i64Extend32S][log2]!);
    else {
      c.i64(log2 === 0 ? 0xff : log2 === 1 ? 0xffff : -1, 0);
      c.op(W.i64And);
    }
  };
  const binary = [0, W.i64Add, W.i64And, W.i64Or, W.i64Xor];
  const compare = [0x53, 0x55, 0x54, 0x56]; // i64.lt_s, gt_s, lt_u, gt_u
  c.block();
  for (let i = 0; i < 9; i++) c.block();
  c.get(oi);
  c.i32(2);
  c.op(W.i32ShrU);
  c.i32(15);
  c.op(W.i32And);
  c.op(W.brTable);
  c.u32(8);
  for (let i = 0; i < 9; i++) c.u32(i);
  for (let i = 0; i < 9; i++) {
    c.end();
    if (i === 0) c.get(operand);
    else if (i < 5) {
      c.get(old);
      c.get(operand);
      c.op(binary[i]!);
    } else {
      const signed = i < 7;
      extend(old, signed);
      extend(operand, signed);
      extend(old, signed);
      extend(operand, signed);
      c.op(compare[i - 5]!);
      c.op(W.select);
    }
    c.set(result);
    c.br(8 - i);
  }
  c.end();
}

/** (env, address, expected, replacement, oi) -> old value, zero-extended. */
export function compareExchange(js: number, shared: boolean): Code {
  const [EXPECTED, REPLACEMENT, OI, HOST, OLD, ENTRY] = [2, 3, 4, 5, 6, 7] as const;
  const c = new Code();
  address(c, js, OI, HOST, ENTRY, shared ? [EXPECTED, REPLACEMENT] : []);
  bySize(c, OI, (log2) => {
    if (shared) {
      // What is compared is the value as it lies there, zero-extended.
      swapIfBigEndian(c, log2, OI, EXPECTED);
      swapIfBigEndian(c, log2, OI, REPLACEMENT);
      c.get(HOST);
      c.get(EXPECTED);
      if (log2 < 3) {
        c.i64(log2 === 0 ? 0xff : log2 === 1 ? 0xffff : -1, 0);
        c.op(W.i64And);
      }
      c.get(REPLACEMENT);
      exchangeIf(c, log2);
      c.set(OLD);
      swapIfBigEndian(c, log2, OI, OLD);
      c.get(OLD);
      c.op(W.return);
      return;
    }
    c.get(HOST);
    c.mem(LOAD_U[log2]!, 0);
    c.set(OLD);
    swapIfBigEndian(c, log2, OI, OLD);
    swapIfBigEndian(c, log2, OI, REPLACEMENT);
    c.get(OLD);
    c.get(EXPECTED);
    if (log2 < 3) {
      c.i64(log2 === 0 ? 0xff : log2 === 1 ? 0xffff : -1, 0);
      c.op(W.i64And);
    }
    c.op(W.i64Eq);
    c.if();
    c.get(HOST);
    c.get(REPLACEMENT);
    c.mem(STORE[log2]!, 0);
    c.end();
    c.get(OLD);
    c.op(W.return);
  });
  c.op(W.unreachable);
  return c;
}
