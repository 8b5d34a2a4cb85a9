import { type DisplayConsole, ScreenFeed } from "@mimus/display";

/** A browser that has not asked for so many milliseconds is gone. */
const GONE = 30_000;
const MOST = 16;

interface Viewer {
  readonly feed: ScreenFeed;
  /** When it last asked, in milliseconds since 1970. */
  seen: number;
}

/** The browsers that look at a screen, each with what it has not seen yet. */
export class Viewers {
  readonly #console: DisplayConsole;
  readonly #viewers: Map<string, Viewer> = new Map();
  readonly #sweep: NodeJS.Timeout;

  constructor(console: DisplayConsole) {
    this.#console = console;
    this.#sweep = setInterval(() => {
      for (const [id, { seen }] of this.#viewers) if (Date.now() - seen > GONE) this.#drop(id);
    }, GONE / 2);
    this.#sweep.unref();
  }

  /** The one that calls itself so; a new one takes the place of the oldest when there are too many. */
  of(id: string): Viewer {
    const known = this.#viewers.get(id);
    if (known !== undefined) return known;
    const [oldest] = this.#viewers.size >= MOST ? this.#viewers.keys() : [];
    if (oldest !== undefined) this.#drop(oldest);
    const made = { feed: new ScreenFeed(this.#console), seen: Date.now() };
    this.#viewers.set(id, made);
    return made;
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const id of this.#viewers.keys()) this.#drop(id);
  }

  #drop(id: string): void {
    this.#viewers.get(id)?.feed.close();
    this.#viewers.delete(id);
  }
}
