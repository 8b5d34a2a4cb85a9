/** Which time: guest time, host time since some start, host wall clock. */
export type ClockName = "virtual" | "realtime" | "host";

/** A source of time in nanoseconds. */
export interface Clock {
  readonly name: ClockName;
  /** Nanoseconds; never goes back, except the wall clock when its owner sets it. */
  now(): number;
}

/** A clock that timers can be armed on. */
export interface TimerClock extends Clock {
  readonly timers: TimerQueue;
}

/** Calls back once when its clock reaches the deadline, from the run loop. Arm it again for another time. */
export class Timer {
  readonly #clock: TimerClock;
  readonly callback: () => void;
  /** Nanoseconds on its clock; meaningless while not armed. */
  deadline: number = Number.POSITIVE_INFINITY;
  /** Owned by the queue: place in the heap, -1 when not armed. */
  index = -1;
  /** Owned by the queue: order among equal deadlines. */
  order = 0;

  constructor(clock: TimerClock, callback: () => void) {
    this.#clock = clock;
    this.callback = callback;
  }

  /** It will fire. */
  get armed(): boolean {
    return this.index >= 0;
  }

  /** Sets the deadline in nanoseconds on its clock; in the past means at the next run. NaN or +Infinity cancels. */
  arm(deadlineNs: number): void {
    if (!(deadlineNs < Number.POSITIVE_INFINITY)) this.cancel();
    else this.#clock.timers.arm(this, deadlineNs);
  }

  /** It does not fire; nothing happens when it is not armed. */
  cancel(): void {
    this.#clock.timers.cancel(this);
  }
}

/** The armed timers of one clock: a binary heap by deadline, then by the order of arming. */
export class TimerQueue {
  readonly #heap: Timer[] = [];
  #order = 0;
  /** Called when the earliest deadline moved nearer. */
  onEarlier: (() => void) | undefined;

  /** Deadline of the earliest timer, Infinity when there is none. */
  get next(): number {
    return this.#heap[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Number of armed timers. */
  get size(): number {
    return this.#heap.length;
  }

  arm(timer: Timer, deadline: number): void {
    const before = this.next;
    timer.deadline = deadline;
    timer.order = this.#order++;
    if (timer.index < 0) {
      timer.index = this.#heap.length;
      this.#heap.push(timer);
    }
    this.#down(timer, this.#up(timer));
    if (this.next < before) this.onEarlier?.();
  }

  cancel(timer: Timer): void {
    const at = timer.index;
    if (at < 0) return;
    timer.index = -1;
    const moved = this.#heap.pop()!;
    if (moved === timer) return;
    this.#heap[at] = moved;
    moved.index = at;
    this.#down(moved, this.#up(moved));
  }

  /** Fires what is due at `now`, but nothing that was armed meanwhile: a guest's zero-length period cannot hang the loop. */
  run(now: number): number {
    const limit = this.#order;
    let fired = 0;
    for (let timer = this.#heap[0]; timer !== undefined; timer = this.#heap[0]) {
      if (timer.deadline > now || timer.order >= limit) break;
      this.cancel(timer);
      fired++;
      timer.callback();
    }
    return fired;
  }

  #up(timer: Timer): number {
    const heap = this.#heap;
    let at = timer.index;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above]!;
      if (!before(timer, other)) break;
      heap[at] = other;
      other.index = at;
      at = above;
    }
    heap[at] = timer;
    timer.index = at;
    return at;
  }

  #down(timer: Timer, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1]!, heap[below]!)) below++;
      const other = heap[below]!;
      if (!before(other, timer)) break;
      heap[at] = other;
      other.index = at;
      at = below;
    }
    heap[at] = timer;
    timer.index = at;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order);
}
