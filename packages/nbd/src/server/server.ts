import { NbdError } from "../errors.ts";
import type { ByteStream, TlsCredentials } from "../stream.ts";
import type { NbdExport } from "./export.ts";
import { negotiate } from "./negotiation.ts";
import { Transmission } from "./transmission.ts";

/** What a server needs from the application. */
export interface NbdServerOptions {
  /** Demands encryption with these. */
  readonly tls?: TlsCredentials | undefined;
  /** Clients at once; more are turned away. Default 100, 0 = no limit. */
  readonly maxClients?: number | undefined;
  /** Runs `act` after so many milliseconds unless the returned function is called: a negotiation has 10 s. Absent = no limit. */
  readonly after?: (milliseconds: number, act: () => void) => () => void;
  /** One line about a client that was turned away or broke the protocol. */
  readonly log?: (message: string) => void;
}

/** Milliseconds that a client has until it has chosen an export. */
const HANDSHAKE_MS = 10_000;

interface Client {
  readonly stream: ByteStream;
  transmission?: Transmission;
  of?: NbdExport;
}

/** Exports by name, and the clients that use them. Streams come from the application's sockets: {@link NbdServer.serve}. */
export class NbdServer {
  readonly #options: NbdServerOptions;
  readonly #exports: Map<string, NbdExport> = new Map();
  readonly #clients: Set<Client> = new Set();

  constructor(options: NbdServerOptions = {}) {
    this.#options = options;
  }

  /** Makes a node available. @throws NbdError "refused" when the name is taken */
  add(of: NbdExport): void {
    if (this.#exports.has(of.name)) throw new NbdError("refused", `NBD server already has export named '${of.name}'`);
    this.#exports.set(of.name, of);
  }

  /** Takes an export away. Its clients: "safe" = an error when there are any, "hard" = they are cut off. */
  async remove(name: string, mode: "safe" | "hard"): Promise<void> {
    const of = this.#exports.get(name);
    if (of === undefined) throw new NbdError("refused", `Export '${name}' is not found`);
    const users = [...this.#clients].filter((client) => client.of === of);
    if (mode === "safe" && users.length > 0) throw new NbdError("refused", `export '${name}' still in use`);
    this.#exports.delete(name);
    for (const client of users) client.transmission?.destroy();
    await Promise.all(users.map((client) => client.transmission?.over));
  }

  /** What clients may open, in order of adding. */
  get exports(): Iterable<NbdExport> {
    return this.#exports.values();
  }

  /** Clients that are connected, negotiating ones included. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Serves one client until it leaves. Resolves then, whatever happened. */
  async serve(stream: ByteStream): Promise<void> {
    const { maxClients = 100, log, after } = this.#options;
    if (maxClients > 0 && this.#clients.size >= maxClients) {
      log?.(`${stream.peer}: turned away: ${maxClients} clients are connected`);
      stream.onClose(() => undefined);
      stream.destroy();
      return;
    }
    const client: Client = { stream };
    this.#clients.add(client);
    const cancel = after?.(HANDSHAKE_MS, () => {
      log?.(`${stream.peer}: did not choose an export in ${HANDSHAKE_MS / 1000} s`);
      stream.destroy();
    });
    try {
      const session = await negotiate(stream, {
        exports: this.#exports.values(),
        find: (name) => this.#exports.get(name),
        tls: this.#options.tls,
      });
      cancel?.();
      if (session === undefined) return;
      client.of = session.of;
      client.transmission = new Transmission(session);
      const why = await client.transmission.over;
      if (why instanceof NbdError) log?.(`${stream.peer}: ${why.message}`);
    } catch (error) {
      log?.(`${stream.peer}: ${(error as Error).message}`);
      stream.destroy();
    } finally {
      cancel?.();
      this.#clients.delete(client);
    }
  }

  /** Ends all clients: what is under way is answered. */
  async close(): Promise<void> {
    this.#exports.clear();
    const clients = [...this.#clients];
    for (const { transmission, stream } of clients) {
      if (transmission === undefined) stream.destroy();
      else transmission.end();
    }
    await Promise.all(clients.map(({ transmission }) => transmission?.over));
  }
}
