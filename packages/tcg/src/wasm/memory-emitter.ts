/** How compiled blocks reach guest memory: the TLB's fast path inline, the runtime for the rest. */
import { ENV, TLB_ENTRIES, TLB_ENTRY_SIZE } from "../exec/contract.ts";
import type { Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { MEM_OPS } from "../ir/type.ts";
import { ALIAS, DEAD, LOCAL } from "./analysis.ts";
import { BlockEmitter, ENVP } from "./block-emitter.ts";
import { W } from "./encode.ts";
import {
  atomicIndex, emitFromI64, emitHalf, emitJoin, emitLoad, emitStore, emitToI64, log2Bytes, VALUE_TYPE,
} from "./memory-ops.ts"; // prettier-ignore

const TLB_MASK = (TLB_ENTRIES - 1) * TLB_ENTRY_SIZE;
const TLB_SIZE = TLB_ENTRIES * TLB_ENTRY_SIZE;

/** Emits loads, stores and atomic operations. */
export class MemoryEmitter extends BlockEmitter {
  /** Leaves the address of an access as an i64 in the local returned. */
  protected address(op: Op): number {
    const code = this.code;
    if (this.target.word === "i64") {
      const kind = this.a.kind[op.a];
      if (kind === LOCAL) return this.valueLocal[op.a]!;
      if (kind === ALIAS) return this.global(this.block.ops[op.a]!.imm);
      this.push(op.a);
    } else {
      this.push(op.a);
      code.op(W.i64ExtendI32U);
    }
    const local = this.temp("address");
    code.set(local);
    return local;
  }

  /** Pushes the TLB entry of the address in a local, less {@link tlbOffset}. */
  protected pushEntry(address: number, type: "i32" | "i64"): void {
    const code = this.code;
    code.get(address);
    if (type === "i64") code.op(W.i32WrapI64);
    code.i32(7);
    code.op(W.i32ShrU);
    code.i32(TLB_MASK);
    code.op(W.i32And);
    if (this.imports.env !== 0) return;
    code.get(ENVP);
    code.op(W.i32Add);
  }

  /** Offset of the TLB entries of an mmu index from what {@link pushEntry} pushes. */
  protected tlbOffset(mmu: number): number {
    return this.imports.env + ENV.tlb + mmu * TLB_SIZE;
  }

  /**
   * Pushes whether the TLB maps an aligned access; leaves its entry, less {@link tlbOffset}. An access
   * of 16 bytes, or of a target that says so, need not be aligned, but must lie in one page.
   */
  protected tlbHit(address: number, bytes: number, mmu: number, tag: number): void {
    const code = this.code;
    const entry = this.temp("entry");
    const unaligned = bytes === 16 || this.target.unaligned;
    this.pushEntry(address, "i64");
    code.tee(entry);
    const mask = unaligned ? -4096 : -4096 | (bytes - 1);
    if (this.target.word === "i32") {
      // Half a tag does: V8 would load a whole one twice, to compare it in memory.
      code.mem(W.i64Load32U, this.tlbOffset(mmu) + tag, 2);
      code.get(address);
      code.op(W.i32WrapI64);
      if (unaligned && bytes > 1) {
        code.i32(bytes - 1);
        code.op(W.i32Add);
      }
      code.i32(mask);
      code.op(W.i32And);
      code.op(W.i64ExtendI32U);
    } else {
      code.mem(W.i64Load, this.tlbOffset(mmu) + tag, 3);
      code.get(address);
      if (unaligned && bytes > 1) {
        code.i64(bytes - 1, 0);
        code.op(W.i64Add);
      }
      code.i64(mask, -1);
      code.op(W.i64And);
    }
    code.op(W.i64Eq);
  }

  protected hostAddress(address: number, mmu: number): void {
    const code = this.code;
    code.get(address);
    code.op(W.i32WrapI64);
    code.get(this.temp("entry"));
    code.mem(W.i32Load, this.tlbOffset(mmu) + 24, 2);
    code.op(W.i32Add);
  }

  protected setSite(): void {
    this.code.i32(this.site);
    this.code.set(this.temp("site"));
  }

  /** Branches to the fault exit of operation `i` if an exception is pending; `inside` blocks are open. */
  protected checkFault(i: number, inside: number): void {
    const code = this.code;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.exception, 2);
    code.rarely();
    code.brIf(inside + this.depth + this.a.stages.length - 1 - this.a.stage.get(i)!);
  }

  /** Calls the slow path of a load, of `half` bytes behind the address; its result is on the stack. */
  protected callLoad(op: Op, address: number, half: number): void {
    const code = this.code;
    code.get(ENVP);
    this.pushAddress(address, half);
    code.i32(log2Bytes(op.mem) | (op.imm << 4));
    code.call(this.imports.call("load"));
  }

  protected pushAddress(address: number, half: number): void {
    const code = this.code;
    code.get(address);
    if (half === 0) return;
    code.i64(half, 0);
    code.op(W.i64Add);
  }

  protected load(op: Op, i: number): void {
    this.loadThroughTlb(op, i);
    this.define(op, i);
  }

  /** Pushes the value of a load. */
  protected loadThroughTlb(op: Op, i: number): void {
    const code = this.code;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.address(op);
    this.tlbHit(address, bytes, op.imm, 0);
    code.mostly();
    code.if(VALUE_TYPE[op.type]);
    this.hostAddress(address, op.imm);
    emitLoad(code, op.type, op.mem, 0);
    code.else();
    this.setSite();
    this.callLoad(op, address, 0);
    emitFromI64(code, op.type, op.mem);
    this.checkFault(i, 1);
    if (bytes === 16) {
      this.callLoad(op, address, 8);
      this.checkFault(i, 1);
      emitJoin(code);
    }
    code.end();
  }

  protected store(op: Op, i: number): void {
    const code = this.code;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.address(op);
    this.tlbHit(address, bytes, op.imm, 8);
    code.mostly();
    code.if();
    this.hostAddress(address, op.imm);
    this.push(op.b);
    emitStore(code, op.type, bytes, 0);
    code.else();
    this.setSite();
    for (let half = 0; half < bytes; half += 8) {
      code.get(ENVP);
      this.pushAddress(address, half);
      this.push(op.b);
      if (bytes === 16) emitHalf(code, half / 8);
      else emitToI64(code, op.type);
      code.i32(log2Bytes(op.mem) | (op.imm << 4));
      code.call(this.imports.call("store"));
      this.checkFault(i, 1);
    }
    code.end();
  }

  protected atomic(op: Op, i: number): void {
    const code = this.code;
    const swap = op.spec === ops.atomic_cmpxchg;
    const address = this.address(op);
    this.setSite();
    code.get(ENVP);
    code.get(address);
    this.push(op.b);
    emitToI64(code, op.type);
    if (swap) {
      this.push(op.c);
      emitToI64(code, op.type);
    }
    const operation = swap ? 0 : op.spec.code - ops.atomic_xchg.code;
    code.i32(log2Bytes(op.mem) | (operation << 2) | (atomicIndex(op) << 8));
    code.call(this.imports.call(swap ? "cmpxchg" : "atomic"));
    const result = this.result();
    code.set(result);
    this.checkFault(i, 0);
    if (this.a.kind[i] === DEAD) return;
    code.get(result);
    emitFromI64(code, op.type, op.mem);
    this.define(op, i);
  }
}
