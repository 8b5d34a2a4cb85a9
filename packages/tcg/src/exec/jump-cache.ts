import { jumpCacheIndex } from "../interp/generate.ts";
import type { Tb } from "./blocks.ts";
import { ENV, JUMP_CACHE_ENTRIES } from "./contract.ts";

/** The cache of blocks by pc and flags that generated code searches itself. It holds what the TLB maps right now. */
export class JumpCache {
  readonly #i32: Int32Array;
  /** Word index of the first entry. */
  readonly #base: number;
  /** Entries filled since the last flush; duplicates are allowed. */
  readonly #used = new Uint16Array(JUMP_CACHE_ENTRIES);
  #count = 0;

  constructor(i32: Int32Array, env: number) {
    this.#i32 = i32;
    this.#base = (env + ENV.jumpCache) >>> 2;
    this.#clearAll();
  }

  insert(tb: Tb): void {
    const index = jumpCacheIndex(tb.pcLo);
    const e = this.#base + index * 4;
    const i32 = this.#i32;
    if (i32[e + 3] === 0 && this.#count < JUMP_CACHE_ENTRIES) this.#used[this.#count++] = index;
    i32[e] = tb.pcLo;
    i32[e + 1] = tb.pcHi;
    i32[e + 2] = tb.flags;
    i32[e + 3] = tb.address;
  }

  remove(tb: Tb): void {
    const e = this.#base + jumpCacheIndex(tb.pcLo) * 4;
    if (this.#i32[e + 3] === tb.address) this.#clear(e);
  }

  flush(): void {
    if (this.#count > 512) this.#clearAll();
    else for (let i = 0; i < this.#count; i++) this.#clear(this.#base + this.#used[i]! * 4);
    this.#count = 0;
  }

  #clearAll(): void {
    for (let i = 0; i < JUMP_CACHE_ENTRIES; i++) this.#clear(this.#base + i * 4);
  }

  /** An odd pc with all bits set is no block's. */
  #clear(e: number): void {
    this.#i32[e] = this.#i32[e + 1] = -1;
    this.#i32[e + 3] = 0;
  }
}
