import { BaseNet } from "./base.ts";

/** Nothing at the other end. */
export class NullNet extends BaseNet {
  readonly type: string = "none";
  protected transmit(): boolean {
    return true;
  }
}

/** Records what the card sends, and sends what a test wants. */
export class TestNet extends BaseNet {
  readonly type: string = "test";
  /** What the card sent. */
  readonly frames: Uint8Array[] = [];
  /** Frames taken before it refuses more; see {@link TestNet.release}. */
  room: number = Number.POSITIVE_INFINITY;
  /** A frame to the card. */
  feed(frame: Uint8Array): boolean {
    return this.deliver(frame);
  }
  /** Takes `n` more frames. */
  release(n: number): void {
    this.room = n;
    this.writable();
  }
  protected transmit(frame: Uint8Array): boolean {
    if (this.room <= 0) return false;
    this.room--;
    this.frames.push(frame);
    return true;
  }
}

/** Sends every frame back to the card. */
export class LoopbackNet extends BaseNet {
  readonly type: string = "loopback";
  protected transmit(frame: Uint8Array): boolean {
    this.deliver(frame);
    return true;
  }
}

/** Several cards on one cable: what one sends, all others hear. `-netdev hubport,hubid=`. */
export class NetHub {
  readonly id: number;
  readonly ports: HubPort[] = [];

  constructor(id: number) {
    this.id = id;
  }

  port(id: string): HubPort {
    const port = new HubPort(this, id);
    this.ports.push(port);
    return port;
  }
}

/** A card's place on a {@link NetHub}. */
export class HubPort extends BaseNet {
  readonly type: string = "hubport";
  readonly #hub: NetHub;

  constructor(hub: NetHub, id: string) {
    super(id);
    this.#hub = hub;
  }

  override describe(): string {
    return `${this.id}: type=hubport,hubid=${this.#hub.id}`;
  }

  protected transmit(frame: Uint8Array): boolean {
    for (const port of this.#hub.ports) if (port !== this) port.deliver(frame.slice());
    return true;
  }

  override async close(): Promise<void> {
    const at = this.#hub.ports.indexOf(this);
    if (at >= 0) this.#hub.ports.splice(at, 1);
  }
}
