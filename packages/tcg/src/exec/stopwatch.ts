/** Times what translates, and tells the run loop of it. */
import type { TcgOptions } from "./contract.ts";

export class Stopwatch {
  readonly #now: () => number;
  readonly #onTranslation: () => void;

  constructor({ now, onTranslation }: TcgOptions) {
    this.#now = now ?? ((): number => 0);
    this.#onTranslation = onTranslation ?? ((): void => {});
  }

  /** Something is about to be translated. @returns the time, in milliseconds; 0 without `options.now` */
  start(): number {
    this.#onTranslation();
    return this.#now();
  }

  /** Milliseconds since {@link start} gave `started`. */
  since(started: number): number {
    return this.#now() - started;
  }
}
