/** Pixels of a screen. 32 bits each: blue, green, red, unused, in the order of bytes. */
export interface Surface {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Bytes from one line to the next. */
  readonly stride: number;
  /** `stride` * `height` of them, at least. */
  readonly bytes: Uint8Array;
}

/** A part of a screen, pixels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Whoever shows a screen: a VNC server, a canvas. */
export interface DisplayListener {
  /** The screen has another size or other memory. */
  resized?(surface: Surface): void;
  /** Pixels of this part changed. */
  updated?(rect: Rect): void;
}

/** The characters of a screen in a text mode. */
export interface TextScreen {
  readonly columns: number;
  readonly rows: number;
  /** Per character: its code (code page 437 on PCs) in bits 0 to 7, its attribute in bits 8 to 15 as a VGA has it. */
  readonly cells: Uint16Array;
  /** Where the cursor is, or undefined when it does not show. */
  readonly cursor: { readonly column: number; readonly row: number } | undefined;
}

/** Kind of the machine's back ends that are its screens; their ids count from "0". */
export const DISPLAY_KIND = "display";

/** Largest width or height that a guest may ask for, pixels. */
export const MAX_SIDE = 16384;

/** One screen of the guest, between the device that draws and those who look. */
export class DisplayConsole {
  /** For people. */
  readonly name: string;
  #surface: Surface | undefined;
  readonly #listeners: Set<DisplayListener> = new Set();
  /** Asks the device to bring the pixels up to date; called before somebody looks. */
  refresh: (() => void) | undefined;
  /** The screen as characters, while the device is in a text mode. */
  text: (() => TextScreen | undefined) | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether somebody looks all the time: the device then keeps track of what changes. */
  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** The pixels, as they were at the last refresh. */
  get surface(): Surface | undefined {
    return this.#surface;
  }

  /** The device shows another surface. Ignores one that does not fit its bytes. */
  setSurface(surface: Surface | undefined): void {
    if (surface && !fits(surface)) return;
    this.#surface = surface;
    if (surface) for (const l of this.#listeners) l.resized?.(surface);
  }

  /** The device drew; the part is cut to the screen. */
  update(rect: Rect): void {
    const s = this.#surface;
    if (!s) return;
    const x = Math.max(0, rect.x);
    const y = Math.max(0, rect.y);
    const width = Math.min(s.width, rect.x + rect.width) - x;
    const height = Math.min(s.height, rect.y + rect.height) - y;
    if (width > 0 && height > 0) for (const l of this.#listeners) l.updated?.({ x, y, width, height });
  }

  /** Tells of changes. Answers a function that stops it. */
  listen(listener: DisplayListener): () => void {
    this.#listeners.add(listener);
    if (this.#surface) listener.resized?.(this.#surface);
    return () => void this.#listeners.delete(listener);
  }
}

function fits(s: Surface): boolean {
  if (s.width < 1 || s.height < 1 || s.width > MAX_SIDE || s.height > MAX_SIDE || s.stride < s.width * 4) return false;
  return s.stride * (s.height - 1) + s.width * 4 <= s.bytes.length;
}
