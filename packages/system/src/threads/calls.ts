import { type CodeNotices, rest } from "./code-notices.ts";
import { CALL, ENGINE, ORDER_SIZE, ORDERS, type SharedBlock, STATUS, WORD } from "./shared-block.ts";

/** Looks for an answer before the thread sleeps: some twenty microseconds. */
const LOOKS = 4000;
/** Milliseconds of a sleep at most. */
const NAP = 50;

/** A vCPU's thread asks the devices' thread, and waits for the answer. */
export class Asking {
  readonly #block: SharedBlock;
  readonly #words: Int32Array;
  readonly #notices: CodeNotices;
  readonly #state: number;
  readonly #asked: Float64Array;
  /** What was answered last. */
  readonly answer: Float64Array;
  /** Called after each answer. */
  onAnswer: (() => void) | undefined;

  constructor(block: SharedBlock, engine: number, notices: CodeNotices) {
    this.#block = block;
    this.#words = block.words;
    this.#notices = notices;
    this.#state = block.at(engine, ENGINE.call);
    this.#asked = block.asked(engine);
    this.answer = block.answered(engine);
  }

  /** Asks for function `fn`. @returns the first value of the answer */
  ask(fn: number, a = 0, b = 0, c = 0, d = 0, e = 0): number {
    const asked = this.#asked;
    asked[0] = fn;
    asked[1] = a;
    asked[2] = b;
    asked[3] = c;
    asked[4] = d;
    asked[5] = e;
    const words = this.#words;
    Atomics.store(words, this.#state, CALL.asked);
    ring(this.#block);
    this.#wait();
    Atomics.store(words, this.#state, CALL.none);
    this.onAnswer?.();
    return this.answer[0]!;
  }

  #wait(): void {
    const words = this.#words;
    for (let looks = 0; looks < LOOKS; looks++) {
      if (Atomics.load(words, this.#state) === CALL.answered) return;
      this.#notices.heed(true);
    }
    while (Atomics.load(words, this.#state) !== CALL.answered) {
      // Guest code stands still: others need not wait for this thread.
      this.#notices.rest(() => void Atomics.wait(words, this.#state, CALL.asked, NAP));
    }
  }
}

/** Something for the devices' thread to look at. */
export function ring(block: SharedBlock): void {
  Atomics.add(block.words, WORD.bell, 1);
  Atomics.notify(block.words, WORD.bell);
}

/** Answers what vCPUs' threads ask. */
export class Answering {
  readonly #block: SharedBlock;
  readonly #states: readonly number[];
  readonly #asked: readonly Float64Array[];
  readonly #answers: readonly Float64Array[];
  readonly #answer: (engine: number, asked: Float64Array, answer: Float64Array) => void;
  #busy = false;

  constructor(block: SharedBlock, answer: (engine: number, asked: Float64Array, answer: Float64Array) => void) {
    this.#block = block;
    const engines = Array.from({ length: block.engines }, (_, n) => n);
    this.#states = engines.map((n) => block.at(n, ENGINE.call));
    this.#asked = engines.map((n) => block.asked(n));
    this.#answers = engines.map((n) => block.answered(n));
    this.#answer = answer;
  }

  /** Answers all that ask now. Between two slices of guest code, or instead of one. */
  serve(): void {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { words } = this.#block;
      for (let engine = 1; engine < this.#states.length; engine++) {
        const state = this.#states[engine]!;
        if (Atomics.load(words, state) !== CALL.asked) continue;
        this.#answer(engine, this.#asked[engine]!, this.#answers[engine]!);
        Atomics.store(words, state, CALL.answered);
        Atomics.notify(words, state);
      }
    } finally {
      this.#busy = false;
    }
  }
}

/** Orders to a vCPU's thread, in the order in which they are given. */
export class Orders {
  readonly #words: Int32Array;
  readonly #ring: Float64Array;
  readonly #given: number;
  readonly #taken: number;

  constructor(block: SharedBlock, engine: number) {
    this.#words = block.words;
    this.#ring = block.orders(engine);
    this.#given = block.at(engine, ENGINE.given);
    this.#taken = block.at(engine, ENGINE.taken);
  }

  /** Devices' thread. `full` is called while there is no room. */
  give(full: () => void, kind: number, ...values: readonly number[]): void {
    const words = this.#words;
    const given = Atomics.load(words, this.#given);
    while (((given - Atomics.load(words, this.#taken)) | 0) >= ORDERS) {
      full();
      rest(words);
    }
    const at = (given & (ORDERS - 1)) * ORDER_SIZE;
    this.#ring[at] = kind;
    for (let n = 0; n < ORDER_SIZE - 1; n++) this.#ring[at + 1 + n] = values[n] ?? 0;
    Atomics.store(words, this.#given, (given + 1) | 0);
    Atomics.notify(words, this.#given);
  }

  /** vCPU's thread: something waits. */
  get waiting(): boolean {
    return Atomics.load(this.#words, this.#given) !== Atomics.load(this.#words, this.#taken);
  }

  /** vCPU's thread: sleeps until there is an order. */
  sleep(): void {
    const taken = Atomics.load(this.#words, this.#taken);
    Atomics.wait(this.#words, this.#given, taken);
  }

  /** vCPU's thread: takes the next order, if there is one. */
  take(): Float64Array | undefined {
    if (!this.waiting) return undefined;
    const taken = Atomics.load(this.#words, this.#taken);
    const at = (taken & (ORDERS - 1)) * ORDER_SIZE;
    const order = this.#ring.slice(at, at + ORDER_SIZE);
    Atomics.store(this.#words, this.#taken, (taken + 1) | 0);
    return order;
  }
}

/** Waits, answering others, until all the engines but the first stand still. */
export function awaitStopped(block: SharedBlock, serve: () => void): void {
  for (let engine = 1; engine < block.engines; engine++)
    while (Atomics.load(block.words, block.at(engine, ENGINE.status)) === STATUS.running) {
      serve();
      rest(block.words);
    }
}
