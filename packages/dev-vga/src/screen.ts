import type { DisplayConsole } from "@mimus/display";
import type { RamBlock } from "@mimus/machine-core";
import type { Picture } from "./picture.ts";

/** Pixels of the largest picture that is shown. */
const MOST_PIXELS = 2 ** 25;

/** What a screen shows. */
export interface ScreenSource {
  /** The picture as it is now. */
  picture(): Picture;
  /** A number that differs when the picture differs for another reason than memory: registers, what blinks. */
  version(): number;
  /** First byte of memory and bytes from one line to the next, when the lines lie in memory like that. */
  lines(): { readonly start: number; readonly stride: number } | undefined;
}

/** Brings the pixels of a console up to date: draws lines that may have changed, and tells which have. */
export class Screen {
  readonly #console: DisplayConsole;
  readonly #block: RamBlock;
  readonly #source: ScreenSource;
  #pixels: Uint32Array = new Uint32Array(0);
  #width = 0;
  #height = 0;
  #line: Uint32Array = new Uint32Array(0);
  #version = -1;
  #tracking = false;

  constructor(console: DisplayConsole, block: RamBlock, source: ScreenSource) {
    this.#console = console;
    this.#block = block;
    this.#source = source;
    console.refresh = () => this.refresh();
  }

  /** Draws what has changed since the last time. */
  refresh(): void {
    const version = this.#source.version();
    const dirty = this.#dirty();
    if (dirty !== "all" && dirty.length === 0 && version === this.#version) return;
    const picture = this.#source.picture();
    if (picture.width * picture.height > MOST_PIXELS) return;
    const resized = this.#resize(picture);
    const lines = this.#source.lines();
    const whole = resized || dirty === "all" || version !== this.#version || lines === undefined;
    this.#version = version;
    if (whole) this.#draw(picture, 0, picture.height);
    else
      for (const [at, length] of dirty) {
        const first = Math.max(0, Math.floor((at - lines.start) / lines.stride));
        const last = Math.min(picture.height, Math.ceil((at + length - lines.start) / lines.stride));
        if (first < last) this.#draw(picture, first, last);
      }
  }

  /** Runs of memory that were written, while somebody looks all the time; else nobody keeps track. */
  #dirty(): "all" | [at: number, length: number][] {
    const { dirty } = this.#block;
    if (!this.#console.watched) {
      if (this.#tracking) dirty.stop("display");
      this.#tracking = false;
      return "all";
    }
    if (!this.#tracking) {
      this.#tracking = true;
      dirty.start("display");
      return "all";
    }
    const runs: [number, number][] = [];
    dirty.take("display", (at, length) => runs.push([at, length]));
    return runs;
  }

  #resize({ width, height }: Picture): boolean {
    if (this.#width === width && this.#height === height) return false;
    this.#width = width;
    this.#height = height;
    this.#pixels = new Uint32Array(width * height);
    this.#line = new Uint32Array(width);
    const bytes = new Uint8Array(this.#pixels.buffer);
    this.#console.setSurface({ width, height, stride: width * 4, bytes });
    return true;
  }

  #draw(picture: Picture, first: number, end: number): void {
    const { width } = picture;
    const line = this.#line;
    const pixels = this.#pixels;
    let [top, left, right] = [-1, width, 0];
    for (let y = first; y <= end; y++) {
      let [from, to] = [width, 0];
      if (y < end) {
        picture.line(y, line);
        const at = y * width;
        from = 0;
        while (from < width && pixels[at + from] === line[from]) from++;
        if (from < width) {
          to = width;
          while (pixels[at + to - 1] === line[to - 1]) to--;
          pixels.set(line.subarray(from, to), at + from);
        }
      }
      if (from < to) {
        if (top < 0) top = y;
        left = Math.min(left, from);
        right = Math.max(right, to);
      } else if (top >= 0) {
        this.#console.update({ x: left, y: top, width: right - left, height: y - top });
        [top, left, right] = [-1, width, 0];
      }
    }
  }
}
