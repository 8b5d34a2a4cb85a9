/** The memory by which the threads of one machine talk: words for signals, doubles for values. */

/** Engines at most: each has a bit per page of code. */
export const MOST_THREADS = 32;

/** Words of the machine as a whole. */
export const WORD = {
  /** Notices about code pages that were given so far. */
  notices: 0,
  /** Taken while a notice is written. */
  noticeLock: 1,
  /** Engine that does an operation of several steps, plus one. */
  stepLock: 2,
  /** Counts what the devices' thread has to look at. */
  bell: 3,
  /** Counts changes of the physical address space. */
  map: 4,
} as const;
/** Words of one engine, from its own first. */
export const ENGINE = {
  /** Notices that it has heeded. */
  heeded: 0,
  /** 1: it runs no guest code, and will look at notices before it does. */
  parked: 1,
  /** What it is to do, and what it does: see {@link STATUS}. */
  wanted: 7,
  status: 2,
  /** See {@link CALL}. */
  call: 3,
  /** Orders that were given, and that were taken. */
  given: 4,
  taken: 5,
  /** Instructions executed: low part, and the high one in the next word. */
  executed: 8,
} as const;
/** What the thread of a vCPU does, or is to do. */
export const STATUS = { starting: 0, running: 1, stopped: 2, ended: 3 } as const;
/** State of a call to the devices' thread. */
export const CALL = { none: 0, asked: 1, answered: 2 } as const;
/** Doubles of the machine as a whole. */
export const VALUE = {
  /** What guest time is behind the host's, ns. */
  lag: 0,
  /** The latest host time that anybody has seen, ns. */
  latest: 1,
} as const;

const HEAD = 64;
const PER_ENGINE = 64;
/** Notices that are kept: who has missed more forgets everything. */
export const NOTICES = 4096;
/** Orders to a vCPU's thread that may wait. */
export const ORDERS = 256;
/** Doubles of a call and of its answer, of an order. */
const CALL_SIZE = 8;
export const ORDER_SIZE = 8;
const VALUES_PER_ENGINE: number = 2 * CALL_SIZE + ORDERS * ORDER_SIZE;
const PAGE = 4096;

/** Bytes for `engines` threads on a machine memory of `bytes`. */
export function blockSize(engines: number, bytes: number): number {
  const words = HEAD + engines * PER_ENGINE + NOTICES + Math.ceil(bytes / PAGE);
  return Math.ceil(words / 2) * 8 + 8 * (HEAD + engines * VALUES_PER_ENGINE);
}

/** Views of it. */
export class SharedBlock {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly values: Float64Array;
  /** Per notice: page number, and the sign bit for its kind. */
  readonly notices: Int32Array;
  /** Per page of the machine memory: a bit for each engine with translated code of it. */
  readonly code: Int32Array;
  readonly engines: number;

  constructor(buffer: SharedArrayBuffer, engines: number, bytes: number) {
    this.buffer = buffer;
    this.engines = engines;
    const pages = Math.ceil(bytes / PAGE);
    const head = HEAD + engines * PER_ENGINE;
    this.words = new Int32Array(buffer, 0, head);
    this.notices = new Int32Array(buffer, 4 * head, NOTICES);
    this.code = new Int32Array(buffer, 4 * (head + NOTICES), pages);
    this.values = new Float64Array(buffer, Math.ceil((head + NOTICES + pages) / 2) * 8);
  }

  /** Index of a word of an engine. */
  at(engine: number, word: number): number {
    return HEAD + engine * PER_ENGINE + word;
  }

  /** A call's values: what is asked with, and what is answered. */
  asked(engine: number): Float64Array {
    const at = HEAD + engine * VALUES_PER_ENGINE;
    return this.values.subarray(at, at + CALL_SIZE);
  }
  answered(engine: number): Float64Array {
    const at = HEAD + engine * VALUES_PER_ENGINE + CALL_SIZE;
    return this.values.subarray(at, at + CALL_SIZE);
  }
  /** The ring of orders. */
  orders(engine: number): Float64Array {
    const at = HEAD + engine * VALUES_PER_ENGINE + 2 * CALL_SIZE;
    return this.values.subarray(at, at + ORDERS * ORDER_SIZE);
  }

  /** The host's time as all threads see it: none sees it earlier than another one has. */
  latest(now: number): number {
    const { values } = this;
    const latest = values[VALUE.latest]!;
    if (now <= latest) return latest;
    values[VALUE.latest] = now;
    return now;
  }
}
