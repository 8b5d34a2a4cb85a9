/** The one door through which the outside reaches a machine: functions that run between slices of guest code, in order. */
export class Mailbox {
  #queue: (() => void)[] = [];
  /** Called when something was put in: ends the current slice or the sleep. */
  onPost: (() => void) | undefined;

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  post(fn: () => void): void {
    this.#queue.push(fn);
    this.onPost?.();
  }

  /** Runs what had been posted when it was called. @returns how many */
  deliver(): number {
    if (this.#queue.length === 0) return 0;
    const now = this.#queue;
    this.#queue = [];
    for (const fn of now) fn();
    return now.length;
  }
}
