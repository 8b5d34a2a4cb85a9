import type { ProcessHost } from "../process.ts";

/** A timer of a program: expires once or again and again. Times in nanoseconds of the given clock. */
export class Countdown {
  readonly #host: ProcessHost;
  readonly #now: () => number;
  readonly #expire: (times: number) => void;
  #due = 0;
  #interval = 0;
  #cancel: (() => void) | undefined;

  /** @param expire told how often it expired since the last time */
  constructor(host: ProcessHost, now: () => number, expire: (times: number) => void) {
    this.#host = host;
    this.#now = now;
    this.#expire = expire;
  }

  /** Starts anew; `due` 0 stops. */
  set(due: number, interval: number): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due = due;
    this.#interval = interval;
    if (due > 0) this.#arm();
  }

  #arm(): void {
    this.#cancel = this.#host.after(Math.max(this.#due - this.#now(), 0), () => this.#check());
  }

  #check(): void {
    this.#cancel = undefined;
    const now = this.#now();
    // The clock may be another than the host's timer's.
    if (now < this.#due) return this.#arm();
    let times = 1;
    if (this.#interval > 0) {
      times += Math.floor((now - this.#due) / this.#interval);
      this.#due += times * this.#interval;
      this.#arm();
    } else this.#due = 0;
    this.#expire(times);
  }

  /** Nanoseconds until it expires; 0 when it does not run. */
  get remaining(): number {
    return this.#due === 0 ? 0 : Math.max(this.#due - this.#now(), 1);
  }
  get interval(): number {
    return this.#interval;
  }
  stop(): void {
    this.set(0, 0);
  }
}
