/** The budget of a region: a local, that instructions are taken off from where ways meet. */
import { ENV } from "../exec/contract.ts";
import { ENVP } from "../wasm/block-emitter.ts";
import { W } from "../wasm/encode.ts";
import { CallEmitter } from "./calls.ts";

/**
 * In place of the budget, which is in the state block meanwhile: the code is on its way to a loop within loops, whose number is in
 * `env.scratch`. No budget left is so little. A header finds that out where it finds that its instructions do not fit, and so pays nothing
 * for it; with a number in a local of its own, which every round of an outer loop had to look at, gzip took 2 % longer.
 */
const RESUMING = -0x80000000;

/** Emits what has to do with the budget. */
export abstract class BudgetEmitter extends CallEmitter {
  /** The local. */
  protected budget = 0;
  /** Instructions executed at the end of the current block since the budget was charged last. */
  protected owing = 0;

  /** Pushes whether the budget does not do for what is owed. */
  protected pushTooLittle(): void {
    this.code.get(this.budget);
    this.code.i32(this.owing);
    this.code.op(W.i32LtS);
  }

  /** Takes what is owed off the budget. */
  protected spend(): void {
    this.code.get(this.budget);
    this.code.i32(this.owing);
    this.code.op(W.i32Sub);
    this.code.set(this.budget);
  }

  protected override storeBudget(): void {
    this.storeBudgetLess(this.owing);
  }

  protected storeBudgetLess(owing: number): void {
    const { code } = this;
    code.get(ENVP);
    code.get(this.budget);
    if (owing > 0) {
      code.i32(owing);
      code.op(W.i32Sub);
    }
    code.mem(W.i32Store, ENV.budget, 2);
  }

  protected override loadBudget(): void {
    const { code } = this;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.budget, 2);
    code.i32(this.owing);
    code.op(W.i32Add);
    code.set(this.budget);
  }

  /** The way to the loop header with a number begins. The budget is in the state block. */
  protected startResuming(pushNumber: () => void): void {
    const { code } = this;
    code.get(ENVP);
    pushNumber();
    code.mem(W.i32Store, ENV.scratch, 2);
    code.i32(RESUMING);
    code.set(this.budget);
  }

  /** Pushes whether the code is on such a way. */
  protected pushResuming(): void {
    this.code.get(this.budget);
    this.code.i32(RESUMING);
    this.code.op(W.i32Eq);
  }

  /** Pushes the number of the header that it leads to. */
  protected pushResumeNumber(): void {
    this.code.get(ENVP);
    this.code.mem(W.i32Load, ENV.scratch, 2);
  }

  /** The header is reached. */
  protected endResuming(): void {
    this.code.get(ENVP);
    this.code.mem(W.i32Load, ENV.budget, 2);
    this.code.set(this.budget);
  }
}
