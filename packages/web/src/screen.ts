import type { FromMachine } from "./protocol.ts";
import { element } from "./view.ts";

/** One thing that happened at the screen. */
export type ScreenEvent = readonly [type: string, ...what: (string | number | boolean)[]];

/** The canvas that shows a machine's screen, with keys and pointer. */
export class Screen {
  readonly #canvas: HTMLCanvasElement = element("screen");
  readonly #box: HTMLElement = element("screen-box");
  readonly #send: (events: readonly ScreenEvent[]) => void;
  readonly #down: Set<string> = new Set();
  #absolute = false;

  constructor(send: (events: readonly ScreenEvent[]) => void) {
    this.#send = send;
    this.#listen();
  }

  /** There is no screen until one is drawn. */
  hide(): void {
    this.#box.hidden = true;
  }

  focus(): void {
    this.#canvas.focus();
  }

  get visible(): boolean {
    return !this.#box.hidden;
  }

  /** Draws what has changed. */
  draw({ frame, absolute }: Extract<FromMachine, { type: "screen" }>): void {
    this.#absolute = absolute;
    const words = new Uint32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2);
    const [width = 0, height = 0, count = 0] = words;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    if (this.#box.hidden) {
      this.#box.hidden = false;
      canvas.focus();
    }
    const context = canvas.getContext("2d");
    for (let n = 0, at = 3; n < count; n++) {
      const [x = 0, y = 0, w = 0, h = 0] = words.subarray(at, at + 4);
      const pixels = new Uint8ClampedArray(frame.buffer, frame.byteOffset + (at + 4) * 4, w * h * 4);
      context?.putImageData(new ImageData(pixels, w, h), x, y);
      at += 4 + w * h;
    }
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener("keydown", (event) => this.#key(event, true));
    canvas.addEventListener("keyup", (event) => this.#key(event, false));
    canvas.addEventListener("blur", () => {
      this.#send([...this.#down].map((code) => ["key", code, false] as const));
      this.#down.clear();
    });
    canvas.addEventListener("mousemove", (event) => this.#move(event));
    canvas.addEventListener("mousedown", (event) => this.#button(event, true));
    canvas.addEventListener("mouseup", (event) => this.#button(event, false));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.#send([["wheel", Math.sign(event.deltaY)]]);
      },
      { passive: false },
    );
  }

  #key(event: KeyboardEvent, down: boolean): void {
    event.preventDefault();
    if (event.shiftKey && event.code === "F6") {
      if (down) element("what").focus();
      return;
    }
    if (down) this.#down.add(event.code);
    else this.#down.delete(event.code);
    this.#send([["key", event.code, down]]);
  }

  #move(event: MouseEvent): void {
    const box = this.#canvas.getBoundingClientRect();
    if (this.#absolute) {
      const part = (at: number, from: number, size: number): number => Math.round(((at - from) / size) * 0x7fff);
      this.#send([["place", part(event.clientX, box.left, box.width), part(event.clientY, box.top, box.height)]]);
    } else if (document.pointerLockElement === this.#canvas) this.#send([["move", event.movementX, event.movementY]]);
  }

  #button(event: MouseEvent, down: boolean): void {
    event.preventDefault();
    this.#canvas.focus();
    // The first click catches the pointer; Escape gives it back.
    if (down && !this.#absolute && document.pointerLockElement !== this.#canvas) void this.#canvas.requestPointerLock();
    else this.#send([["button", event.button, down]]);
  }
}
