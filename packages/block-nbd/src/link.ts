import { BlockError } from "@mimus/block";
import type { NbdClient } from "@mimus/nbd";
import { NbdError } from "@mimus/nbd";

/** How long to try again. */
export interface LinkTimes {
  /** Seconds that requests wait for a lost connection; 0 = they fail, and the next request tries once. */
  readonly reconnectSeconds: number;
  /** Seconds to try again while opening. */
  readonly openSeconds: number;
  /** Waits nanoseconds; absent = no second tries. */
  readonly delay?: (ns: number) => Promise<void>;
}

const SECOND = 1e9;
/** Nanoseconds between tries: the first, and the longest. */
const FIRST_WAIT: number = SECOND / 4;
const LONGEST_WAIT: number = 8 * SECOND;

/** A connection that is made again when it is lost. */
export class Link {
  readonly #name: string;
  readonly #dial: () => Promise<NbdClient>;
  readonly #times: LinkTimes;
  readonly #first: NbdClient;
  #client: NbdClient;
  #closed = false;
  /** The attempt to connect again that is under way. */
  #attempt: Promise<NbdClient> | undefined;
  /** Requests do not wait any more: the time is over, and the server still is not back. */
  #expired = false;

  private constructor(name: string, dial: () => Promise<NbdClient>, times: LinkTimes, client: NbdClient) {
    this.#name = name;
    this.#dial = dial;
    this.#times = times;
    this.#first = this.#client = client;
  }

  /** Connects; tries again for `openSeconds` while the server is not there. @throws BlockError, NbdError */
  static async open(name: string, dial: () => Promise<NbdClient>, times: LinkTimes): Promise<Link> {
    const client = await insist(dial, times.openSeconds, times.delay).catch((error: unknown) => {
      throw wrap(name, error);
    });
    return new Link(name, dial, times, client);
  }

  /** What the server said when it was first reached. */
  get client(): NbdClient {
    return this.#first;
  }

  /** Runs a request on the connection; one that breaks it is tried again once there is another, for as long as allowed. */
  async run<T>(act: (client: NbdClient) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#closed) throw new BlockError("closed", `'${this.#name}' is closed`);
      const client = this.#client.broken === undefined ? this.#client : await this.#again();
      try {
        return await act(client);
      } catch (error) {
        if (!(error instanceof NbdError)) throw error;
        const { reconnectSeconds, delay } = this.#times;
        if (this.#closed || reconnectSeconds === 0 || delay === undefined) throw wrap(this.#name, error);
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  async #again(): Promise<NbdClient> {
    const { reconnectSeconds, delay } = this.#times;
    const wait = delay === undefined || this.#expired ? 0 : reconnectSeconds;
    this.#attempt ??= insist(() => this.#same(), wait, delay)
      .then((client) => {
        this.#expired = false;
        this.#client = client;
        if (this.#closed) client.close();
        return client;
      })
      .catch((error: unknown) => {
        this.#expired = true;
        throw wrap(this.#name, error);
      })
      .finally(() => (this.#attempt = undefined));
    return this.#attempt;
  }

  /** A new connection must lead to the export that was opened. */
  async #same(): Promise<NbdClient> {
    if (this.#closed) throw new BlockError("closed", `'${this.#name}' is closed`);
    const client = await this.#dial();
    const [was, is] = [this.#first.of, client.of];
    const lost = was.flags & ~is.flags;
    if (is.size === was.size && is.minimum <= was.minimum && is.maximum >= was.maximum && lost === 0) return client;
    client.close();
    throw new BlockError(
      "shrunk",
      `'${this.#name}': after a new connection the export is another one (${is.size} bytes, was ${was.size})`,
    );
  }
}

/** Tries until it works or the time is over; the last error is the answer. */
async function insist<T>(act: () => Promise<T>, seconds: number, delay: LinkTimes["delay"]): Promise<T> {
  if (seconds === 0 || delay === undefined) return act();
  let over = false;
  const end = delay(seconds * SECOND).then(() => (over = true));
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    const result = await Promise.race([
      act().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
      end.then(() => ({ error: new NbdError("closed", `no answer for ${seconds} s`) })),
    ]);
    if ("value" in result) return result.value;
    if (over || result.error instanceof BlockError) throw result.error;
    await Promise.race([delay(wait), end]);
    if (over) throw result.error;
  }
}

function wrap(name: string, error: unknown): BlockError {
  if (error instanceof BlockError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new BlockError(
    error instanceof NbdError && error.kind === "refused" ? "not-found" : "io",
    `'${name}': ${text}`,
    {
      cause: error,
    },
  );
}
