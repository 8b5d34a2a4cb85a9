/** What a parser under attack is, and how much of it was done. */
export interface FuzzOptions {
  /** Runs at most. */
  readonly count: number;
  readonly seed: number;
  /** Number of the first run. */
  readonly first: number;
  /** Called before each run with its number: who watches sees which one hangs. */
  readonly started: (run: number) => void;
  /** Called now and then with the runs that are done; true ends the run. */
  readonly progress: (done: number) => boolean;
}

/** What came of it: the runs, and into what they fell. */
export interface FuzzCounts {
  readonly runs: number;
  /** Opened, parsed, answered: whatever is not a refusal. */
  readonly taken: number;
  readonly refused: number;
  /** The longest run, milliseconds. */
  readonly longestMs: number;
  readonly notes?: string;
}

/** One parser of bytes that nobody vouches for. */
export interface Parser {
  readonly name: string;
  readonly what: string;
  /** @throws Error that names seed and run of what must not happen */
  run(options: FuzzOptions): Promise<FuzzCounts>;
}
