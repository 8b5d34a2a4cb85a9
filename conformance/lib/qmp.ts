import { connect, type Socket } from "node:net";

/** A client of a QMP monitor on a unix socket. */
export class Qmp {
  readonly #socket: Socket;
  #text = "";
  #wake: () => void = () => undefined;
  readonly events: Record<string, unknown>[] = [];

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.on("data", (text: Buffer) => {
      this.#text += text.toString();
      this.#wake();
    });
  }

  /** Connects, reads the greeting and negotiates. */
  static async ready(path: string): Promise<Qmp> {
    const client = new Qmp(path);
    await client.next();
    await client.ask("qmp_capabilities");
    return client;
  }

  /** The next message that is no event; events are kept in `events`. */
  async next(): Promise<Record<string, unknown>> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end < 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      const message = JSON.parse(this.#text.slice(0, end)) as Record<string, unknown>;
      this.#text = this.#text.slice(end + 1);
      if (!("event" in message)) return message;
      this.events.push(message);
    }
  }

  /** What a command answers: its result or its error. */
  async ask(execute: string, args?: unknown): Promise<unknown> {
    this.#socket.write(JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }) }));
    const { return: result, error } = await this.next();
    return error ?? result;
  }

  /** Waits until an event of this name has come, and forgets it. @throws Error after `timeoutMs` */
  async event(name: string, timeoutMs: number): Promise<Record<string, unknown>> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const at = this.events.findIndex((e) => e["event"] === name);
      const [found] = at < 0 ? [] : this.events.splice(at, 1);
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`no ${name} but ${this.events.map((e) => String(e["event"])).join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await this.ask("query-status");
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
