import type { ToolHost } from "./host.ts";

/** Least change that is shown, percent. */
const STEP = 1;

/** How far the work is, for people: `-p` shows it all the time, a signal shows it once. */
export class Progress {
  readonly #host: ToolHost;
  readonly #shown: boolean;
  #percent = 0;
  #last = -1;

  constructor(host: ToolHost, shown: boolean) {
    this.#host = host;
    this.#shown = shown;
    if (!shown) host.onReport?.(() => host.err(`    (${this.#percent.toFixed(2)}/100%)\n`));
  }

  /** `done` of `total`, in any unit. */
  set(done: number, total: number): void {
    this.#percent = total <= 0 ? 100 : Math.min(100, (done / total) * 100);
    if (!this.#shown) return;
    if (this.#last >= 0 && this.#percent < this.#last + STEP && this.#percent < 100) return;
    this.#last = this.#percent;
    this.#host.out(`    (${this.#percent.toFixed(2)}/100%)\r`);
  }

  /** Ends the line that shows it. */
  end(): void {
    if (this.#shown) this.#host.out("\n");
  }
}
