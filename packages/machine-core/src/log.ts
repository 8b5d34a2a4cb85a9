/**
 * What a record is about. `guest-error`: the guest did what the hardware forbids. `unassigned`: nothing answers there. `interrupt`,
 * `cpu-reset`: a CPU delivered an interrupt or exception, or was reset.
 */
export type LogLevel =
  | "guest-error"
  | "unimplemented"
  | "unassigned"
  | "warning"
  | "info"
  | "trace"
  | "interrupt"
  | "cpu-reset";

/** Levels that were asked for whole: their sources are never cut short. */
const WHOLE: ReadonlySet<LogLevel> = new Set<LogLevel>(["trace", "interrupt", "cpu-reset"]);

/** One event worth telling. */
export interface LogRecord {
  /** Kind of record, as `-d` names it. */
  readonly level: LogLevel;
  /** Path of the device or name of the part that tells it. */
  readonly source: string;
  readonly message: string;
  readonly args?: readonly unknown[];
}

const DEFAULT_LEVELS: readonly LogLevel[] = ["warning", "info"];

/** Counts every event and passes on those of the enabled levels; a repeating source is cut short at `limit` records. */
export class Log {
  readonly #sink: ((record: LogRecord) => void) | undefined;
  readonly #levels: Set<LogLevel>;
  readonly #counts: Map<string, number> = new Map();
  readonly #limit: number;
  readonly #listeners: (() => void)[] = [];

  /** `limit` is the number of records passed on per level and source; counting goes on beyond it. */
  constructor(sink?: (record: LogRecord) => void, options: { levels?: Iterable<LogLevel>; limit?: number } = {}) {
    this.#sink = sink;
    this.#levels = new Set(options.levels ?? DEFAULT_LEVELS);
    this.#limit = options.limit ?? 1000;
  }

  /** Whether records of `level` are passed on; ask before building an expensive message. */
  enabled(level: LogLevel): boolean {
    return this.#levels.has(level);
  }

  /** Turns a kind of records on, or off. */
  enable(level: LogLevel, on = true): void {
    if (on) this.#levels.add(level);
    else this.#levels.delete(level);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `fn` when a level was switched: for who asks too often to ask each time. */
  onChange(fn: () => void): void {
    this.#listeners.push(fn);
  }

  /** Counts the event, and passes it on when its level is enabled. Never throws. */
  write(level: LogLevel, source: string, message: string, args?: readonly unknown[]): void {
    const key = `${level} ${source}`;
    const n = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, n);
    if (this.#sink === undefined || !this.#levels.has(level) || (n > this.#limit && !WHOLE.has(level))) return;
    const text = n === this.#limit && !WHOLE.has(level) ? `${message} (further ones are only counted)` : message;
    this.#sink(args === undefined ? { level, source, message: text } : { level, source, message: text, args });
  }

  /** Events counted so far, of one level, of one source when given. */
  count(level: LogLevel, source?: string): number {
    if (source !== undefined) return this.#counts.get(`${level} ${source}`) ?? 0;
    let sum = 0;
    for (const [key, n] of this.#counts) if (key.startsWith(`${level} `)) sum += n;
    return sum;
  }
}
