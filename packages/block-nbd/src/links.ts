import type { NbdClient } from "@mimus/nbd";
import type { Link } from "./link.ts";

/** Where requests of a node go. */
export interface Requests {
  /** What the server said when it was first reached. */
  readonly client: NbdClient;
  run<T>(act: (client: NbdClient) => Promise<T>): Promise<T>;
  close(): void;
}

interface Lane {
  readonly link: Link;
  running: number;
}

/**
 * Several connections to one export, for a server where a flush on one covers what every other one has written
 * (NBD_FLAG_CAN_MULTI_CONN): each request takes the least busy one. The further ones come when the server lets them in; one that
 * serves a client at a time never does.
 */
export class Links implements Requests {
  readonly #lanes: Lane[];
  readonly #abandon: () => void;
  #closed = false;

  /** `open` makes one more connection; `abandon` gives up those that are being made. */
  constructor(first: Link, more: number, open: () => Promise<Link>, abandon: () => void) {
    this.#lanes = [{ link: first, running: 0 }];
    this.#abandon = abandon;
    for (let n = 0; n < more; n++)
      void open().then(
        (link) => this.#join(link),
        () => undefined,
      );
  }

  get client(): NbdClient {
    return (this.#lanes[0] as Lane).link.client;
  }

  /** Connections that are in use. */
  get count(): number {
    return this.#lanes.length;
  }

  async run<T>(act: (client: NbdClient) => Promise<T>): Promise<T> {
    let lane = this.#lanes[0] as Lane;
    for (const other of this.#lanes) if (other.running < lane.running) lane = other;
    lane.running++;
    try {
      return await lane.link.run(act);
    } finally {
      lane.running--;
    }
  }

  close(): void {
    this.#closed = true;
    this.#abandon();
    for (const { link } of this.#lanes) link.close();
  }

  #join(link: Link): void {
    const [was, is] = [this.client.of, link.client.of];
    const same =
      is.size === was.size && is.flags === was.flags && is.minimum === was.minimum && is.maximum === was.maximum;
    if (this.#closed || !same) link.close();
    else this.#lanes.push({ link, running: 0 });
  }
}
