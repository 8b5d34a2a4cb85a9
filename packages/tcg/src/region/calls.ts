/** Guest calls and returns in regions: calls of the host, as long as the guest returns to where it called from. */
import type { Tb } from "../exec/blocks.ts";
import { CALL_DEPTH, ENV, EXIT } from "../exec/contract.ts";
import { EXIT_LOOKUP, TB } from "../exec/descriptor.ts";
import { ENVP } from "../wasm/block-emitter.ts";
import { W } from "../wasm/encode.ts";
import { emitJumpCacheLookup } from "../wasm/jump-cache.ts";
import { AccessEmitter } from "./access.ts";
import type { BlockExit } from "./exits.ts";
import type { RegionSettings } from "./region-compiler.ts";

/** Emits calls and returns. */
export abstract class CallEmitter extends AccessEmitter {
  /** Offsets in the code of calls of the function itself, whose index is not known yet: five bytes each. */
  protected selfCalls: number[] = [];
  /** Addresses are not translated: a link may lead to another page. */
  protected readonly linksAnywhere: boolean;

  constructor(settings: RegionSettings) {
    super(settings);
    this.linksAnywhere = settings.direct !== undefined;
  }

  protected pushPc(lo: number, hi: number): void {
    if (this.target.word === "i64") this.code.i64(lo, hi);
    else this.code.i32(lo);
  }

  protected storePc(lo: number, hi: number): void {
    this.code.get(ENVP);
    this.pushPc(lo, hi);
    this.code.mem(this.target.word === "i64" ? W.i64Store : W.i32Store, this.target.pcOffset, 2);
  }

  /** A guest return: to the region that made the call, if one did. */
  protected guestReturn(i: number): void {
    const { code } = this;
    for (const g of this.a.stores.get(i)!) this.storeGlobal(g);
    code.get(ENVP);
    code.mem(W.i32Load, ENV.depth, 2);
    code.i32(CALL_DEPTH);
    code.op(W.i32Ne);
    code.if();
    code.get(ENVP);
    code.mem(W.i32Load, ENV.returns, 2);
    code.op(W.return);
    code.end();
    this.goByJumpCache();
  }

  /**
   * A guest call as a call of the host, from the end of block `tb`; what follows it runs when the guest has returned to
   * the block's end, with everything in the state block. `self` is the region's head, when that is called.
   */
  protected guestCall(i: number, exit: BlockExit, tb: Tb, self: Tb | undefined): void {
    const { code } = this;
    const depth = this.depthLocal();
    const entry = this.temp("entry");
    const known = exit.kind === "call" && this.linksAnywhere;
    // With the pc: who is called may leave before it has stored one (no budget, an interrupt, code that is gone).
    for (const g of this.a.stores.get(i)!) this.storeGlobal(g);
    this.storeBudget();
    code.get(ENVP);
    code.mem(W.i32Load, ENV.depth, 2);
    code.tee(depth);
    code.op(W.i32Eqz);
    code.rarely();
    code.if();
    this.goByJumpCache();
    code.end();
    // Where addresses are not translated, a link to another page holds until that page's code dies.
    const slot = known ? 0 : this.linkOf(i);
    if (self !== undefined) {
      this.#enterCall(depth);
      code.get(ENVP);
      code.i32(self.address);
      code.op(W.call);
      this.selfCalls.push(code.length);
      code.bytes([0x80, 0x80, 0x80, 0x80, 0x00]);
    } else {
      if (slot >= 0) {
        code.i32(this.tb);
        code.mem(W.i32Load, TB.link + 4 * slot, 2);
        code.tee(entry);
        code.op(W.i32Eqz);
        code.rarely();
        code.if();
        code.i32(this.tb + 1 + slot);
        code.op(W.return);
        code.end();
      } else {
        emitJumpCacheLookup(code, this.target, ENVP, this.temp("address"), entry);
        code.op(W.i32Eqz);
        code.if();
        code.i32(EXIT_LOOKUP);
        code.op(W.return);
        code.end();
        code.get(entry);
        code.mem(W.i32Load, ENV.jumpCache + 12, 2);
        code.set(entry);
      }
      this.#enterCall(depth);
      code.get(ENVP);
      code.get(entry);
      code.get(entry);
      code.mem(W.i32Load, TB.fn, 2);
      code.op(W.callIndirect);
      code.u32(0);
      code.u32(0);
    }
    // `entry` is free again.
    code.tee(entry);
    code.i32(EXIT.return);
    code.op(W.i32Ne);
    code.if();
    code.get(entry);
    code.op(W.return);
    code.end();
    code.get(ENVP);
    code.mem(this.target.word === "i64" ? W.i64Load : W.i32Load, this.target.pcOffset, 2);
    this.pushPc((tb.pcLo + tb.length) | 0, tb.pcHi);
    code.op(this.target.word === "i64" ? W.i64Ne : W.i32Ne);
    code.if();
    code.i32(EXIT_LOOKUP);
    code.op(W.return);
    code.end();
    code.get(ENVP);
    code.get(depth);
    code.mem(W.i32Store, ENV.depth, 2);
  }

  #enterCall(depth: number): void {
    const { code } = this;
    code.get(ENVP);
    code.get(depth);
    code.i32(1);
    code.op(W.i32Sub);
    code.mem(W.i32Store, ENV.depth, 2);
  }
}
