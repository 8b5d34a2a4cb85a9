import type { DisplayConsole, Rect } from "./console.ts";

/** Rectangles of one frame; more are joined. */
const MOST_RECTS = 32;
/** 32-bit words before the rectangles, and of each rectangle. */
const HEAD = 3;
const RECT = 4;

/**
 * What changes on a screen, as messages for a canvas elsewhere: little-endian words width, height, number of rectangles; for each
 * rectangle x, y, width, height and its pixels as bytes red, green, blue, 255.
 */
export class ScreenFeed {
  readonly #console: DisplayConsole;
  readonly #leave: () => void;
  #rects: Rect[] = [];
  #whole = true;

  /** Looks at the screen until {@link close}. */
  constructor(console: DisplayConsole) {
    this.#console = console;
    this.#leave = console.listen({
      resized: () => void (this.#whole = true),
      updated: (rect) => {
        if (this.#whole) return;
        this.#rects.push(rect);
        if (this.#rects.length > MOST_RECTS) this.#rects = [this.#rects.reduce(join)];
      },
    });
  }

  close(): void {
    this.#leave();
  }

  /** The next message has all of the screen. */
  again(): void {
    this.#whole = true;
  }

  /** What has changed since the last message; undefined for nothing. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    this.#console.refresh?.();
    const { surface } = this.#console;
    if (surface === undefined) return undefined;
    const { width, height, stride, bytes } = surface;
    const rects = this.#whole ? [{ x: 0, y: 0, width, height }] : this.#rects;
    if (rects.length === 0) return undefined;
    this.#whole = false;
    this.#rects = [];
    const size = rects.reduce((sum, r) => sum + RECT * 4 + r.width * r.height * 4, HEAD * 4);
    const out = new Uint8Array(size);
    const words = new Uint32Array(out.buffer);
    words.set([width, height, rects.length]);
    let at = HEAD;
    for (const r of rects) {
      words.set([r.x, r.y, r.width, r.height], at);
      let to = (at + RECT) * 4;
      for (let y = r.y; y < r.y + r.height; y++)
        for (let from = y * stride + r.x * 4, end = from + r.width * 4; from < end; from += 4, to += 4) {
          out[to] = bytes[from + 2]!;
          out[to + 1] = bytes[from + 1]!;
          out[to + 2] = bytes[from]!;
          out[to + 3] = 255;
        }
      at = to >> 2;
    }
    return out;
  }
}

function join(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}
