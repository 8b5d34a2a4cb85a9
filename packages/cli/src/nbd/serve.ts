import { nodeSockets } from "@mimus/host-node";
import type { ByteStream, NbdServer, StreamAddress, StreamListener } from "@mimus/nbd";

/** Clients that wait for their turn; more are turned away. */
const MAX_WAITING = 128;

/** How clients are taken. */
export interface ServeOptions {
  readonly addresses: readonly StreamAddress[];
  /** Clients at once; more wait. 0 = no limit. */
  readonly shared: number;
  /** Stay when the last client has left. */
  readonly persistent: boolean;
  /** Called when clients can come. */
  readonly listening: () => void;
}

/** Serves until the last client has left, or a signal ends it. Answers what is under way. */
export async function serveUntilDone(server: NbdServer, options: ServeOptions): Promise<void> {
  const waiting: ByteStream[] = [];
  let active = 0;
  let finish!: () => void;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const begin = (stream: ByteStream): void => {
    active++;
    void server.serve(stream).then(() => {
      active--;
      const next = waiting.shift();
      if (next !== undefined) begin(next);
      else if (active === 0 && !options.persistent) finish();
    });
  };
  const take = (stream: ByteStream): void => {
    if (options.shared === 0 || active < options.shared) begin(stream);
    else if (waiting.length < MAX_WAITING) waiting.push(stream);
    else stream.destroy();
  };
  // Before the first client can come: who sees the socket may send the signal.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, finish);
  const listeners: StreamListener[] = [];
  for (const address of options.addresses) listeners.push(await nodeSockets.listen(address, take));
  options.listening();
  await done;
  const closed = listeners.map((listener) => listener.close());
  for (const stream of waiting.splice(0)) stream.destroy();
  await server.close();
  await Promise.all(closed);
}

/** Milliseconds timers for servers: they do not keep the process alive. */
export function after(milliseconds: number, act: () => void): () => void {
  const timer = setTimeout(act, milliseconds).unref();
  return () => clearTimeout(timer);
}

/** Sockets that a service manager opened for this process. Source: sd_listen_fds(3). */
export function activationSockets(): StreamAddress[] {
  const count = Number(process.env["LISTEN_FDS"] ?? 0);
  if (Number(process.env["LISTEN_PID"] ?? 0) !== process.pid || !(count > 0)) return [];
  return Array.from({ length: count }, (_, n) => ({ type: "fd", fd: 3 + n }) as const);
}
