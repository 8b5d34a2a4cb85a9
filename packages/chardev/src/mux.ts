import type { CharBackend, CharFrontend } from "./contract.ts";

/** Ctrl-A, the default escape character of `-nographic`. */
const CTRL_A = 1;

const HELP = `\r
C-a h    print this help\r
C-a x    exit emulator\r
C-a s    save disk data back to file (if -snapshot)\r
C-a t    toggle console timestamps\r
C-a b    send break (magic sysrq)\r
C-a c    switch between console and monitor\r
C-a C-a  sends C-a\r
`;

/** What the keys of a multiplexer ask of the machine. */
export interface MuxActions {
  /** Ctrl-A x. */
  quit(): void;
  /** Ctrl-A s. */
  commit(): void;
  /** Milliseconds since the machine started, for timestamps. */
  milliseconds(): number;
}

/** Shares one back end between several front ends; keys after Ctrl-A choose which one has the input. */
export class MuxChar {
  readonly #below: CharBackend;
  readonly #actions: MuxActions;
  readonly #ports: MuxPort[] = [];
  #focus = 0;
  #escaped = false;
  #timestamps = false;
  #lineStart = true;

  constructor(below: CharBackend, actions: MuxActions) {
    this.#below = below;
    this.#actions = actions;
    below.attach({
      canReceive: () => 4096,
      receive: (bytes) => this.#receive(bytes),
      event: (event) => {
        for (const port of this.#ports) port.deliverEvent(event);
      },
      writable: () => {
        for (const port of this.#ports) port.deliverWritable();
      },
    });
  }

  /** A new user of the shared back end; the first one has the focus. */
  port(): CharBackend {
    const port = new MuxPort(this, this.#ports.length);
    this.#ports.push(port);
    return port;
  }

  /** @internal */
  get open(): boolean {
    return this.#below.open;
  }

  /** @internal Whether the keys go to this port; a port without them hears of "opened" when it gets them. */
  hasFocus(index: number): boolean {
    return this.#focus === index;
  }

  /** @internal */
  send(bytes: Uint8Array): number {
    if (!this.#timestamps) return this.#below.write(bytes);
    const out: number[] = [];
    for (const byte of bytes) {
      if (this.#lineStart) out.push(...ascii(stamp(this.#actions.milliseconds())));
      this.#lineStart = byte === 10;
      out.push(byte);
    }
    this.#below.write(Uint8Array.from(out));
    return bytes.length;
  }

  #receive(bytes: Uint8Array): void {
    let plain: number[] = [];
    const pass = (): void => {
      if (plain.length > 0) this.#ports[this.#focus]?.queue(Uint8Array.from(plain));
      plain = [];
    };
    for (const byte of bytes) {
      if (this.#escaped) {
        this.#escaped = false;
        if (byte === CTRL_A) plain.push(byte);
        else {
          pass();
          this.#command(String.fromCharCode(byte));
        }
      } else if (byte === CTRL_A) this.#escaped = true;
      else plain.push(byte);
    }
    pass();
  }

  #command(key: string): void {
    switch (key) {
      case "x":
        this.#below.write(ascii("MIMUS: Terminated\r\n"));
        this.#actions.quit();
        break;
      case "c":
        this.#focus = (this.#focus + 1) % Math.max(this.#ports.length, 1);
        this.#ports[this.#focus]?.focused();
        break;
      case "b":
        this.#ports[this.#focus]?.deliverEvent("break");
        break;
      case "s":
        this.#actions.commit();
        break;
      case "t":
        this.#timestamps = !this.#timestamps;
        this.#lineStart = false;
        break;
      case "h":
      case "?":
        this.#below.write(ascii(HELP));
        break;
    }
  }

  /** @internal */
  async close(): Promise<void> {
    await this.#below.close();
  }
}

class MuxPort implements CharBackend {
  readonly #mux: MuxChar;
  readonly index: number;
  #frontend: CharFrontend | undefined;
  #queue: number[] = [];

  constructor(mux: MuxChar, index: number) {
    this.#mux = mux;
    this.index = index;
  }

  get open(): boolean {
    return this.#mux.open;
  }

  write(bytes: Uint8Array): number {
    return this.#mux.send(bytes);
  }

  attach(frontend: CharFrontend): void {
    this.#frontend = frontend;
    if (this.open && this.#mux.hasFocus(this.index)) frontend.event?.("opened");
    this.frontendReady();
  }

  detach(frontend: CharFrontend): void {
    if (this.#frontend === frontend) this.#frontend = undefined;
  }

  queue(bytes: Uint8Array): void {
    for (const byte of bytes) if (this.#queue.length < 4096) this.#queue.push(byte);
    this.frontendReady();
  }

  frontendReady(): void {
    for (
      let room = this.#frontend?.canReceive() ?? 0;
      room > 0 && this.#queue.length > 0;
      room = this.#frontend?.canReceive() ?? 0
    )
      this.#frontend?.receive(Uint8Array.from(this.#queue.splice(0, room)));
  }

  deliverEvent(event: "opened" | "closed" | "break"): void {
    this.#frontend?.event?.(event);
  }

  deliverWritable(): void {
    this.#frontend?.writable?.();
  }

  focused(): void {
    this.#frontend?.event?.("opened");
  }

  close(): Promise<void> {
    return this.#mux.close();
  }
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function stamp(milliseconds: number): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  const ms = String(Math.floor(milliseconds % 1000)).padStart(3, "0");
  return `[${two(milliseconds / 3600000)}:${two((milliseconds / 60000) % 60)}:${two((milliseconds / 1000) % 60)}.${ms}] `;
}
