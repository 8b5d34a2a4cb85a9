import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { EnvField, HelperSpec, Value } from "../ir/type.ts";

/**
 * The backward pass: drops stores to globals that are overwritten before anything can see them, and operations whose
 * value is not used; then numbers the rest anew. Something sees a global: leaving the block, an operation
 * that may fault, a helper that reads it, a `get`.
 */
export class Backward {
  #live = new Uint8Array(1024);
  #to = new Int32Array(1024);
  /** Globals that are overwritten on every path from here before anything sees them. */
  #dead = new Uint8Array(0);
  /** They, as a list. */
  #list: number[] = [];
  #names = new Map<string, number>();
  #globals: readonly EnvField[] | undefined;
  /** By label: the list there; undefined before it was met (a branch backwards). */
  readonly #atLabel: (readonly number[] | undefined)[] = [];

  run(block: Block): void {
    const { ops: all } = block;
    const n = all.length;
    this.#begin(block, n);
    const live = this.#live;
    for (let i = n - 1; i >= 0; i--) {
      const op = all[i]!;
      if (!this.#needed(op, live[i] !== 0)) continue;
      live[i] = 1;
      if (op.a >= 0) live[op.a] = 1;
      if (op.b >= 0) live[op.b] = 1;
      if (op.c >= 0) live[op.c] = 1;
      if (op.d >= 0) live[op.d] = 1;
      if (op.helper !== undefined) for (const v of op.list) live[v] = 1;
    }
    this.#compact(all);
  }

  #begin(block: Block, n: number): void {
    if (n > this.#live.length) {
      this.#live = new Uint8Array(n * 2);
      this.#to = new Int32Array(n * 2);
    } else {
      this.#live.fill(0, 0, n);
    }
    if (block.globals !== this.#globals) {
      this.#globals = block.globals;
      this.#dead = new Uint8Array(block.globals.length);
      this.#list = [];
      this.#names = new Map(block.globals.map((g, i) => [g.name, i]));
    }
    this.#allSeen();
    this.#atLabel.length = 0;
  }

  /** Whether the operation stays, given whether its value is used; what it sees is noted. */
  #needed(op: Op, used: boolean): boolean {
    const { spec } = op;
    if (spec.pure) return used;
    switch (spec) {
      case ops.get:
        if (used) this.#seen(op.imm);
        return used;
      case ops.set:
        if (this.#dead[op.imm] !== 0) return false;
        this.#overwritten(op.imm);
        return true;
      case ops.call:
        return this.#call(op, used);
      case ops.label:
        this.#atLabel[op.imm] = this.#list.slice();
        return true;
      case ops.br:
        this.#allSeen();
        this.#atLabel[op.imm]?.forEach((g) => this.#overwritten(g));
        return true;
      case ops.brcond:
        this.#meet(this.#atLabel[op.imm]);
        return true;
      default:
        if (spec.terminator || spec.mayFault) this.#allSeen();
        return spec.sideEffect || used;
    }
  }

  #call(op: Op, used: boolean): boolean {
    const helper = op.helper!;
    if (helper.pure === true && !used) return false;
    if (helper.mayFault === true) this.#allSeen();
    else this.#read(helper);
    return true;
  }

  #read(helper: HelperSpec): void {
    const { reads } = helper;
    if (helper.pure === true) return;
    if (reads === undefined || reads === "all") {
      this.#allSeen();
      return;
    }
    for (const name of reads) {
      const index = this.#names.get(name);
      if (index !== undefined) this.#seen(index);
    }
  }

  #overwritten(global: number): void {
    if (this.#dead[global] !== 0) return;
    this.#dead[global] = 1;
    this.#list.push(global);
  }

  #seen(global: number): void {
    if (this.#dead[global] === 0) return;
    this.#dead[global] = 0;
    this.#list.splice(this.#list.indexOf(global), 1);
  }

  #allSeen(): void {
    for (const global of this.#list) this.#dead[global] = 0;
    this.#list.length = 0;
  }

  /** Dead at a branch is what is dead both after it and at its label. */
  #meet(there: readonly number[] | undefined): void {
    if (there === undefined) return this.#allSeen();
    for (const global of this.#list.slice()) if (!there.includes(global)) this.#seen(global);
  }

  /** Moves the operations that stay together and renumbers their operands. */
  #compact(all: Op[]): void {
    const to = this.#to;
    const live = this.#live;
    let n = 0;
    for (let i = 0; i < all.length; i++) {
      if (live[i] === 0) continue;
      const op = all[i]!;
      renumber(op, to);
      to[i] = n;
      all[n++] = op;
    }
    all.length = n;
  }
}

/** Replaces the operands of an operation by the values that they became. */
export function renumber(op: Op, to: Int32Array): void {
  if (op.a >= 0) op.a = to[op.a]! as Value;
  if (op.b >= 0) op.b = to[op.b]! as Value;
  if (op.c >= 0) op.c = to[op.c]! as Value;
  if (op.d >= 0) op.d = to[op.d]! as Value;
  if (op.helper !== undefined) for (let k = 0; k < op.list.length; k++) op.list[k] = to[op.list[k]!]!;
}
