import { type DisplayConsole, ScreenFeed } from "@mimus/display";

/** Milliseconds between looks at the screen. */
const FRAME = 33;

/** Sends what changes on a machine's screen; the next part only when the page has drawn the last. */
export class ScreenSender {
  readonly #feed: ScreenFeed;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #send: (frame: Uint8Array<ArrayBuffer>) => void;
  #waits = false;

  constructor(console: DisplayConsole, send: (frame: Uint8Array<ArrayBuffer>) => void) {
    this.#feed = new ScreenFeed(console);
    this.#send = send;
    this.#timer = setInterval(() => this.#look(), FRAME);
  }

  shown(): void {
    this.#waits = false;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#feed.close();
  }

  #look(): void {
    if (this.#waits) return;
    const frame = this.#feed.take();
    if (frame === undefined) return;
    this.#waits = true;
    this.#send(frame);
  }
}
