import type { CharBackend, CharEvent, CharFrontend } from "@mimus/chardev";
import type { Chain, VirtQueue } from "@mimus/bus-virtio";
import type { VirtioSerial } from "./chip.ts";

/** Most bytes taken from a chardev at once. */
const MOST_IN = 65536;
/** Most bytes given to a chardev at once. */
const MOST_OUT = 65536;

/** One port of a virtio-serial device, between a pair of queues and a chardev. */
export class SerialPort implements CharFrontend {
  readonly nr: number;
  readonly console: boolean;
  /** What the guest sees in /dev/virtio-ports. */
  readonly name: string;
  /** The guest has opened the port. */
  guestOpen = false;
  /** Something listens at the host's end. */
  hostOpen: boolean;
  /** Bytes of the next output buffer that have been sent. */
  sent = 0;
  readonly #chardev: CharBackend | undefined;
  readonly #serial: VirtioSerial;

  constructor(
    serial: VirtioSerial,
    opts: { nr: number; console: boolean; name: string; chardev: CharBackend | undefined },
  ) {
    this.#serial = serial;
    this.nr = opts.nr;
    this.console = opts.console;
    this.name = opts.name;
    this.#chardev = opts.chardev;
    this.hostOpen = opts.console ? opts.chardev !== undefined : (opts.chardev?.open ?? false);
  }

  get input(): VirtQueue | undefined {
    return this.#serial.queueOf(this.nr, "in");
  }
  get output(): VirtQueue | undefined {
    return this.#serial.queueOf(this.nr, "out");
  }

  attach(): void {
    this.#chardev?.attach(this);
  }
  detach(): void {
    this.#chardev?.detach(this);
  }

  // ---- from the chardev ----

  canReceive(): number {
    const queue = this.input;
    if (!queue?.ready || !this.#serial.isOpen(this)) return 0;
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) return 0;
      const room = chain.inBytes;
      if (room > 0) {
        queue.unpop(chain);
        return Math.min(room, MOST_IN);
      }
      queue.push(chain, 0); // a buffer without room is of no use
    }
    return 0;
  }

  receive(bytes: Uint8Array): void {
    const queue = this.input;
    if (!queue) return;
    for (let done = 0; done < bytes.length;) {
      const chain = queue.pop();
      if (!chain) break;
      const n = chain.writeIn(0, bytes.subarray(done));
      queue.push(chain, n);
      done += n;
      if (n === 0) break;
    }
    queue.notify();
  }

  event(event: CharEvent): void {
    if (this.console || event === "break") return;
    const open = event === "opened";
    if (open === this.hostOpen) return;
    this.hostOpen = open;
    this.#serial.hostOpened(this);
    if (open) this.drainOutput();
  }

  writable(): void {
    this.drainOutput();
  }

  // ---- from the driver ----

  /** The driver gave buffers to read into: what the chardev held back comes now. */
  inputReady(): void {
    this.#chardev?.frontendReady();
  }

  /** Sends what the driver made available, until the chardev takes no more. */
  drainOutput(): void {
    const queue = this.output;
    if (!queue) return;
    let pushed = false;
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      if (!this.#send(chain)) {
        // Left in the ring: `writable` comes back to it.
        queue.unpop(chain);
        break;
      }
      this.sent = 0;
      queue.push(chain, 0);
      pushed = true;
    }
    if (pushed) queue.notify();
  }

  /** True when the whole buffer is sent or nobody wants it. */
  #send(chain: Chain): boolean {
    const chardev = this.#chardev;
    if (!chardev || !this.hostOpen) return true;
    while (this.sent < chain.outBytes) {
      const bytes = new Uint8Array(Math.min(MOST_OUT, chain.outBytes - this.sent));
      chain.readOut(this.sent, bytes);
      const n = chardev.write(bytes);
      this.sent += n;
      if (n < bytes.length) return false;
    }
    return true;
  }

  /** Writes one byte outside of any queue: the emergency register. */
  emergency(byte: number): void {
    this.#chardev?.write(Uint8Array.of(byte & 0xff));
  }
}
