import type { CheckReport } from "./image-ops.ts";

/** Lines that are kept: an image of nothing but errors must not fill the memory. */
const MOST_MESSAGES = 1000;

/** What the check of an image has found so far. */
export class CheckFindings {
  /** Things wrong that could cost data. */
  corruptions = 0;
  /** Of `corruptions`, repaired. */
  corruptionsFixed = 0;
  /** Clusters that nothing uses. */
  leaks = 0;
  /** Of `leaks`, given back. */
  leaksFixed = 0;
  /** Parts that could not be read. */
  checkErrors = 0;
  readonly #messages: string[] = [];

  /** Notes a line; after 1000 of them nothing. */
  note(line: string): void {
    if (this.#messages.length < MOST_MESSAGES) this.#messages.push(line);
  }

  /** Counts one corruption and notes a line about it. */
  corrupt(line: string): void {
    this.corruptions++;
    this.note(line);
  }

  /** Counts leaked clusters and notes a line about them. */
  leak(clusters: number, line: string): void {
    this.leaks += clusters;
    this.note(line);
  }

  /** The answer of `ImageOps.check`. `totals`: what a format counts beyond errors and leaks. */
  report(
    totals: Pick<
      CheckReport,
      "imageEndOffset" | "totalClusters" | "allocatedClusters" | "fragmentedClusters" | "compressedClusters"
    > = {},
  ): CheckReport {
    const { corruptions, corruptionsFixed, leaks, leaksFixed, checkErrors } = this;
    return { corruptions, corruptionsFixed, leaks, leaksFixed, checkErrors, ...totals, messages: this.#messages };
  }
}
