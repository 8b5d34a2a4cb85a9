/** Instructions, and reads, for which one look at the host's clock is good. */
const NEAR = 64;
const USES = 11;

/**
 * The host's time for a guest that reads its clock again and again: asking the host costs more than all the rest of such
 * a read. A sample serves a few reads close together, so time stands still for a few dozen instructions at most, and for a dozen readings.
 */
export class SampledTime {
  readonly #source: () => number;
  readonly #mark: () => number;
  #sample = 0;
  #at = 0;
  #uses = 0;

  /**
   * @param source nanoseconds; never goes back
   * @param mark falls by one with each instruction; 0: it is not known how many there were, so the host is asked
   */
  constructor(source: () => number, mark: () => number) {
    this.#source = source;
    this.#mark = mark;
  }

  /** Nanoseconds; at most a few dozen instructions old. */
  now(): number {
    if (this.#uses > 0) {
      const mark = this.#mark();
      const passed = this.#at - mark;
      if (mark !== 0 && passed >= 0 && passed <= NEAR) {
        this.#uses--;
        return this.#sample;
      }
    }
    return this.fresh();
  }

  /** The next reading asks the host: time has passed that instructions do not tell of. */
  forget(): void {
    this.#uses = 0;
  }

  /** Nanoseconds now. */
  fresh(): number {
    this.#at = this.#mark();
    this.#uses = USES;
    return (this.#sample = this.#source());
  }
}
