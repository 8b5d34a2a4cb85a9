import type { JobBody } from "./job.ts";

/** blockdev-create: a job whose work is one step. */
export class CreateBody implements JobBody {
  readonly #work: () => Promise<void>;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }
  run(): Promise<void> {
    return this.#work();
  }
}
