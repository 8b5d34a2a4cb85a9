/** Handlers of guest memory accesses: the TLB's fast path, the calls of the slow ones, and the fault exit. */
import { ENV, EXIT, TLB_ENTRIES, TLB_ENTRY_SIZE } from "../exec/contract.ts";
import { ops } from "../ir/ops.ts";
import { MEM_OPS } from "../ir/type.ts";
import { W } from "../wasm/encode.ts";
import { emitFromI64, emitLoad, emitStore, emitToI64, log2Bytes } from "../wasm/memory-ops.ts";
import { ADDR, ENTRY, ENVP, HandlerEmitter, IP, S64, TBP } from "./handler-emitter.ts";

/** Bits of a TLB's byte index that come from a page number, and the log2 of a TLB's size. */
const TLB_MASK = (TLB_ENTRIES - 1) * TLB_ENTRY_SIZE;
const TLB_SHIFT = 31 - Math.clz32(TLB_ENTRIES * TLB_ENTRY_SIZE);

/** Emits handlers of loads, stores and atomic operations. */
export class MemoryHandlers extends HandlerEmitter {
  /** Leaves ADDR = operand 0 plus the displacement, as an i64. */
  protected address(): void {
    const { code } = this;
    const h = this.h;
    const wide = this.target.word === "i64";
    this.operand(h.args[0]!, this.target.word);
    code.get(IP);
    code.mem(wide ? W.i64Load16S : W.i32Load16S, h.extra, 1);
    code.op(wide ? W.i64Add : W.i32Add);
    if (!wide) code.op(W.i64ExtendI32U);
    code.set(ADDR);
  }

  /**
   * Leaves ENTRY = the TLB entry of ADDR; pushes whether the tag at `tag` matches an aligned access. One of a vector, or
   * of a target that says so, need not be aligned, but must lie in one page.
   */
  protected lookup(bytes: number, tag: number): void {
    const { code } = this;
    const unaligned = bytes === 16 || this.target.unaligned;
    this.unit(this.h.extra + 4);
    code.i32(TLB_SHIFT);
    code.op(W.i32Shl);
    code.get(ADDR);
    code.op(W.i32WrapI64);
    code.i32(7);
    code.op(W.i32ShrU);
    code.i32(TLB_MASK);
    code.op(W.i32And);
    code.op(W.i32Add);
    code.get(ENVP);
    code.op(W.i32Add);
    code.tee(ENTRY);
    code.mem(W.i64Load, ENV.tlb + tag, 3);
    code.get(ADDR);
    if (unaligned && bytes > 1) {
      code.i64(bytes - 1, 0);
      code.op(W.i64Add);
    }
    code.i64(unaligned ? -4096 : -4096 | (bytes - 1), -1);
    code.op(W.i64And);
    code.op(W.i64Eq);
  }

  protected hostAddress(): void {
    const { code } = this;
    code.get(ADDR);
    code.op(W.i32WrapI64);
    code.get(ENTRY);
    code.mem(W.i32Load, ENV.tlb + 24, 2);
    code.op(W.i32Add);
  }

  /** Pushes the description of the access for a slow path: log2 of the size and the mmu index. */
  protected accessWord(constant: number, mmuShift: number): void {
    const { code } = this;
    this.unit(this.h.extra + 4);
    code.i32(mmuShift);
    code.op(W.i32Shl);
    code.i32(constant);
    code.op(W.i32Or);
  }

  /** Leaves through the fault exit if an exception is pending. */
  protected checkFault(): void {
    const { code } = this;
    const h = this.h;
    const site = h.spec === ops.call ? h.extra : h.extra + 2;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.exception, 2);
    code.rarely();
    code.if();
    code.get(ENVP);
    code.get(TBP);
    code.mem(W.i32Store, ENV.exitTb, 2);
    code.get(ENVP);
    this.unit(site);
    code.mem(W.i32Store, ENV.exitSite, 2);
    code.i32(EXIT.fault);
    code.op(W.return);
    code.end();
  }

  protected load(): void {
    const { code } = this;
    const h = this.h;
    const { bytes } = MEM_OPS[h.mem];
    this.address();
    this.lookup(bytes, 0);
    code.mostly();
    code.if();
    this.slotAddress(h.dst);
    this.hostAddress();
    emitLoad(code, h.type, h.mem, 0);
    this.storeResult(h.type);
    this.next(1);
    code.end();
    // Halves of a vector are loaded one after the other.
    for (let half = 0; half < bytes; half += 8) {
      code.get(ENVP);
      code.get(ADDR);
      if (half > 0) {
        code.i64(half, 0);
        code.op(W.i64Add);
      }
      this.accessWord(log2Bytes(h.mem), 4);
      code.call(this.imports.load);
      code.set(S64 + half / 8);
      this.checkFault();
    }
    this.slotAddress(h.dst);
    if (h.type === "v128") {
      code.get(S64);
      code.mem(W.i64Store, 0);
      this.slotAddress(h.dst);
      code.get(S64 + 1);
      code.mem(W.i64Store, 8);
    } else {
      code.get(S64);
      emitFromI64(code, h.type, h.mem);
      this.storeResult(h.type);
    }
    this.next();
  }

  protected store(): void {
    const { code } = this;
    const h = this.h;
    const { bytes } = MEM_OPS[h.mem];
    this.address();
    this.lookup(bytes, 8);
    code.mostly();
    code.if();
    this.hostAddress();
    this.operand(h.args[1]!, h.type);
    emitStore(code, h.type, bytes, 0);
    this.next(1);
    code.end();
    for (let half = 0; half < bytes; half += 8) {
      code.get(ENVP);
      code.get(ADDR);
      if (half > 0) {
        code.i64(half, 0);
        code.op(W.i64Add);
      }
      if (h.type === "v128") {
        this.slotAddress(h.args[1]!);
        code.mem(W.i64Load, half);
      } else {
        this.operand(h.args[1]!, h.type);
        emitToI64(code, h.type);
      }
      this.accessWord(log2Bytes(h.mem), 4);
      code.call(this.imports.store);
      this.checkFault();
    }
    this.next();
  }

  protected atomic(): void {
    const { code } = this;
    const h = this.h;
    const swap = h.spec === ops.atomic_cmpxchg;
    this.address();
    code.get(ENVP);
    code.get(ADDR);
    for (let n = 1; n < h.args.length; n++) {
      this.operand(h.args[n]!, h.type);
      emitToI64(code, h.type);
    }
    const operation = swap ? 0 : h.spec!.code - ops.atomic_xchg.code;
    this.accessWord(log2Bytes(h.mem) | (operation << 2), 8);
    code.call(swap ? this.imports.cmpxchg : this.imports.atomic);
    code.set(S64);
    this.checkFault();
    this.slotAddress(h.dst);
    code.get(S64);
    emitFromI64(code, h.type, h.mem);
    this.storeResult(h.type);
    this.next();
  }
}
