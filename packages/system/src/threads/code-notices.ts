import type { CodeOwner, CodePages } from "@mimus/tcg";
import { ENGINE, NOTICES, type SharedBlock, WORD } from "./shared-block.ts";

/** In a notice: the page's code is to be dropped; else stores to it are to be noticed. */
const DROP = -0x80000000;
/** Place of the number of the engine that gave it; the page's number is below. */
const GIVER = 24;
const PAGE_NUMBER = 0xfffff;
const PAGE = 4096;
/** Looks at a word before this thread makes room for the one that it waits for. */
const LOOKS = 2000;

/**
 * Code pages of several engines. Who wants something of the others gives a notice, and goes on when all that run guest code
 * have heeded it; one that does not run heeds it before it does. Whoever waits heeds the notices of others meanwhile.
 */
export class CodeNotices implements CodePages {
  readonly #block: SharedBlock;
  readonly #words: Int32Array;
  readonly #code: Int32Array;
  readonly #engine: number;
  readonly #mine: number;
  readonly #heeded: number;
  readonly #parked: number;
  #owner: CodeOwner | undefined;
  /** Notices that were looked at. */
  #seen = 0;
  /** Pages that could be stored to, protected in the middle of an access: what its block knows of them may be older. */
  readonly #late: number[] = [];
  #locks = 0;
  /** A page was protected in the middle of an access: {@link CodeNotices.settle} should be called soon. */
  onLate: (() => void) | undefined;
  /** More notices were missed than are kept: all translations and all code must go. */
  onLost: (() => void) | undefined;
  /** Called while another engine does an operation of several steps. */
  onLockWait: (() => void) | undefined;

  constructor(block: SharedBlock, engine: number) {
    this.#block = block;
    this.#words = block.words;
    this.#code = block.code;
    this.#engine = engine;
    this.#mine = 1 << engine;
    this.#heeded = block.at(engine, ENGINE.heeded);
    this.#parked = block.at(engine, ENGINE.parked);
  }

  connect(owner: CodeOwner): void {
    this.#owner = owner;
  }

  has(ram: number): boolean {
    return Atomics.load(this.#code, ram >>> 12) !== 0;
  }

  holds(ram: number): boolean {
    return (Atomics.load(this.#code, ram >>> 12) & this.#mine) !== 0;
  }

  enter(ram: number): void {
    const page = ram >>> 12;
    while ((Atomics.load(this.#code, page) & this.#mine) === 0) {
      this.#owner?.protect(page * PAGE);
      this.#give(page, 0, false);
    }
  }

  leave(ram: number): void {
    Atomics.and(this.#code, ram >>> 12, ~this.#mine);
  }

  beforeStore(ram: number): void {
    const page = ram >>> 12;
    while ((Atomics.load(this.#code, page) & ~this.#mine) !== 0) this.#give(page, DROP, true);
  }

  /** The engine begins to run guest code. */
  unpark(): void {
    Atomics.store(this.#words, this.#parked, 0);
    this.heed(false);
  }

  /** It runs none until {@link CodeNotices.unpark}. */
  park(): void {
    this.settle();
    Atomics.store(this.#words, this.#parked, 1);
  }

  /** Sleeps in the middle of an access: others need not wait for this thread. */
  rest(sleep: () => void): void {
    Atomics.store(this.#words, this.#parked, 1);
    sleep();
    Atomics.store(this.#words, this.#parked, 0);
    this.heed(true);
  }

  /** Does what notices ask for. `inside`: in the middle of an access. */
  heed(inside: boolean): void {
    const notices = Atomics.load(this.#words, WORD.notices);
    if (notices === this.#seen) return;
    if (((notices - this.#seen) | 0) > NOTICES) this.onLost?.();
    else
      for (let n = this.#seen; n !== notices; n = (n + 1) | 0)
        this.#heedOne(this.#block.notices[n & (NOTICES - 1)]!, inside);
    this.#seen = notices;
    Atomics.store(this.#words, this.#heeded, notices);
  }

  #heedOne(notice: number, inside: boolean): void {
    if (((notice >>> GIVER) & 31) === this.#engine) return;
    const page = notice & PAGE_NUMBER;
    if (notice < 0) {
      this.#owner?.drop(page * PAGE);
      Atomics.and(this.#code, page, ~this.#mine);
      return;
    }
    const stored = this.#owner?.protect(page * PAGE);
    if (!inside || stored !== true) return;
    this.#late.push(page);
    this.onLate?.();
  }

  /** The block in whose middle notices were heeded has ended: what it may have stored unnoticed is looked after. */
  settle(): void {
    while (this.#late.length > 0) this.beforeStore(this.#late.pop()! * PAGE);
  }

  /** Gives a notice and waits until all that run guest code have heeded it. */
  #give(page: number, kind: number, inside: boolean): void {
    const words = this.#words;
    const block = this.#block;
    this.#take(WORD.noticeLock, 1, inside);
    const number = Atomics.load(words, WORD.notices);
    block.notices[number & (NOTICES - 1)] = page | (this.#engine << GIVER) | kind;
    if (kind === 0) Atomics.or(this.#code, page, this.#mine);
    Atomics.store(words, WORD.notices, (number + 1) | 0);
    if (kind === DROP)
      for (let engine = 0; engine < block.engines; engine++) {
        // One that does not run has no use of the code any more: it will find the notice before it runs.
        if (engine === this.#engine || Atomics.load(words, block.at(engine, ENGINE.parked)) === 0) continue;
        Atomics.and(this.#code, page, ~(1 << engine));
      }
    Atomics.store(words, WORD.noticeLock, 0);
    const wanted = (number + 1) | 0;
    for (let engine = 0; engine < block.engines; engine++)
      if (engine !== this.#engine) this.#await(engine, wanted, inside);
    this.heed(inside);
  }

  #await(engine: number, wanted: number, inside: boolean): void {
    const words = this.#words;
    const parked = this.#block.at(engine, ENGINE.parked);
    const heeded = this.#block.at(engine, ENGINE.heeded);
    for (let looks = 1; Atomics.load(words, parked) === 0; looks++) {
      if (((Atomics.load(words, heeded) - wanted) | 0) >= 0) return;
      this.heed(inside);
      if (looks % LOOKS === 0) rest(words);
    }
  }

  lock(): void {
    if (this.#locks++ === 0) this.#take(WORD.stepLock, this.#engine + 1, true);
  }

  unlock(): void {
    if (--this.#locks === 0) Atomics.store(this.#words, WORD.stepLock, 0);
  }

  #take(word: number, mark: number, inside: boolean): void {
    for (let looks = 1; Atomics.compareExchange(this.#words, word, 0, mark) !== 0; looks++) {
      this.heed(inside);
      if (word === WORD.stepLock) this.onLockWait?.();
      if (looks % LOOKS === 0) rest(this.#words);
    }
  }
}

/** A word that nobody wakes. */
const QUIET = 31;

/** Lets other threads of the host run for a moment. */
export function rest(words: Int32Array): void {
  Atomics.wait(words, QUIET, 0, 0.05);
}
