import type { Engine } from "./contract.ts";

/** Access to a vCPU's state block by byte offsets in it: what every target's CPU is built on. */
export class StateBlock {
  /** Byte address of the block in the machine memory. */
  readonly env: number;
  readonly engine: Engine;
  readonly i32: Int32Array;

  constructor(engine: Engine, env: number) {
    this.engine = engine;
    this.env = env;
    this.i32 = engine.i32;
  }

  /** Low (or only) word of a field. */
  lo(offset: number): number {
    return this.i32[(this.env + offset) >> 2]!;
  }
  /** High word of an 8-byte field. */
  hi(offset: number): number {
    return this.i32[(this.env + offset + 4) >> 2]!;
  }
  setLo(offset: number, value: number): void {
    this.i32[(this.env + offset) >> 2] = value;
  }
  set(offset: number, lo: number, hi: number): void {
    const at = (this.env + offset) >> 2;
    this.i32[at] = lo;
    this.i32[at + 1] = hi;
  }
  /** An 8-byte field as an unsigned number: debuggers and tests only. */
  bits64(offset: number): bigint {
    return (BigInt(this.hi(offset) >>> 0) << 32n) | BigInt(this.lo(offset) >>> 0);
  }
}
