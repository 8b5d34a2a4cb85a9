import type { HostStream } from "@mimus/chardev";

/** What is needed of a terminal; `Terminal` of xterm.js has it. */
export interface TerminalLike {
  /** Draws output; `done` is called when it was taken. */
  write(bytes: Uint8Array, done?: () => void): void;
  /** Typed and pasted text. */
  onData(listener: (text: string) => void): unknown;
  /** Input that is bytes, one per character (mouse reports). */
  onBinary?(listener: (bytes: string) => void): unknown;
}

/** Output that the terminal has not drawn yet; beyond the first the guest waits until it is below the second. */
const HIGH = 128 * 1024;
const LOW = 32 * 1024;
/** Input kept while the guest does not read. */
const MOST_HELD = 64 * 1024;

/** A terminal as a byte stream: text is UTF-8. */
export function terminalStream(terminal: TerminalLike): HostStream {
  const encoder = new TextEncoder();
  const data: ((bytes: Uint8Array) => void)[] = [];
  const drained: (() => void)[] = [];
  const closed: (() => void)[] = [];
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let paused = false;
  let over = false;
  let pending = 0;
  let full = false;

  const give = (bytes: Uint8Array): void => {
    if (over || bytes.length === 0) return;
    if (!paused) for (const listener of data) listener(bytes);
    else if (heldBytes + bytes.length <= MOST_HELD) {
      held.push(bytes);
      heldBytes += bytes.length;
    }
  };
  terminal.onData((text) => give(encoder.encode(text)));
  terminal.onBinary?.((text) => give(Uint8Array.from(text, (c) => c.charCodeAt(0))));

  return {
    write(bytes) {
      if (over) return true;
      pending += bytes.length;
      full ||= pending >= HIGH;
      terminal.write(bytes.slice(), () => {
        pending -= bytes.length;
        if (!full || pending >= LOW) return;
        full = false;
        for (const listener of drained) listener();
      });
      return !full;
    },
    onData: (listener) => void data.push(listener),
    onDrain: (listener) => void drained.push(listener),
    onClose: (listener) => void closed.push(listener),
    pause: () => void (paused = true),
    resume() {
      paused = false;
      const now = held;
      held = [];
      heldBytes = 0;
      for (const bytes of now) give(bytes);
    },
    close() {
      over = true;
      for (const listener of closed.splice(0)) listener();
      return Promise.resolve();
    },
  };
}
