/** Takes the level of a line; called when it changes. */
export type IrqSink = (level: boolean) => void;

/** An output of a device. It starts low and unconnected; the sink hears changes only. */
export class IrqLine {
  readonly name: string;
  #level = false;
  #sink: IrqSink | undefined;
  #taps: IrqSink[] | undefined;

  constructor(name = "") {
    this.name = name;
  }

  /** As it was set last; low at the start. */
  get level(): boolean {
    return this.#level;
  }

  get connected(): boolean {
    return this.#sink !== undefined;
  }

  /** Changes the level; nothing happens when it is that already. */
  set(level: boolean): void {
    if (this.#level === level) return;
    this.#level = level;
    this.#sink?.(level);
    if (this.#taps !== undefined) for (const tap of this.#taps) tap(level);
  }

  /** High, then low: an edge. */
  pulse(): void {
    this.set(true);
    this.set(false);
  }

  /** Connects the line to `sink`, in place of an earlier one; a line that is high tells it at once. */
  connect(sink: IrqSink): void {
    this.#sink = sink;
    if (this.#level) sink(true);
  }

  /** Lets `listener` hear every change beside the sink: tests and traces. */
  tap(listener: IrqSink): void {
    (this.#taps ??= []).push(listener);
  }

  disconnect(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    if (this.#level) sink?.(false);
  }
}

/** One sink that passes the level on to several. */
export function splitIrq(...sinks: IrqSink[]): IrqSink {
  return (level) => {
    for (const sink of sinks) sink(level);
  };
}

/** Several lines into one: its output is high while any input is. */
export class OrIrq {
  readonly output: IrqLine = new IrqLine("or");
  readonly #levels: boolean[] = [];

  /** The sink for input `n`. */
  input(n: number): IrqSink {
    return (level) => {
      this.#levels[n] = level;
      this.output.set(this.#levels.some((on) => on === true));
    };
  }
}
