import { BlockError } from "@mimus/block";
import { type CharBackend, OutputQueue } from "@mimus/chardev";
import { JsonSplitter } from "./json-splitter.ts";

/** What a QMP monitor needs of its process. */
export interface QmpHost {
  /** Answers a command. @throws an error whose message the client gets; {@link UnknownCommand} for one that is not there */
  run(name: string, args: unknown): Promise<unknown>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Text of the version, three numbers first. */
  readonly version: string;
}

/** There is no command of this name. */
export class UnknownCommand extends Error {
  override readonly name = "UnknownCommand";
}

/** The monitor for programs on a character device. Source: QEMU 7.2, docs/interop/qmp-spec.txt, 2.1 to 2.5. */
export class QmpMonitor {
  readonly #char: CharBackend;
  readonly #output: OutputQueue;
  readonly #host: QmpHost;
  readonly #pretty: boolean;
  #input: JsonSplitter = new JsonSplitter();
  #negotiated = false;
  /** Commands are answered in order. */
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(char: CharBackend, host: QmpHost, pretty: boolean) {
    this.#char = char;
    this.#output = new OutputQueue(char);
    this.#host = host;
    this.#pretty = pretty;
    char.attach({
      canReceive: () => (this.#waiting > MAX_WAITING ? 0 : 4096),
      receive: (bytes) => this.#receive(bytes),
      event: (event) => {
        if (event === "opened") this.#greet();
        else if (event === "closed") {
          this.#negotiated = false;
          this.#output.clear();
        }
      },
      writable: () => this.#output.flush(),
    });
  }

  /** Tells the client of an event, once it has negotiated. */
  emit(name: string, data: Readonly<Record<string, unknown>>): void {
    if (!this.#negotiated) return;
    const now = this.#host.now();
    const timestamp = { seconds: Math.floor(now / 1000), microseconds: Math.floor((now % 1000) * 1000) };
    this.#send({ timestamp, event: name, ...(Object.keys(data).length === 0 ? {} : { data }) });
  }

  #greet(): void {
    this.#input = new JsonSplitter();
    this.#negotiated = false;
    this.#send({ QMP: { version: versionOf(this.#host.version), capabilities: [] } });
  }

  #receive(bytes: Uint8Array): void {
    for (const piece of this.#input.push(bytes)) {
      this.#waiting++;
      this.#queue = this.#queue.then(async () => {
        this.#send("text" in piece ? await this.#answer(piece.text) : failure("GenericError", piece.error));
        this.#waiting--;
        this.#char.frontendReady();
      });
    }
  }

  async #answer(text: string): Promise<Readonly<Record<string, unknown>>> {
    let request: unknown;
    try {
      request = JSON.parse(text);
    } catch {
      return failure("GenericError", "JSON parse error, expecting value");
    }
    if (typeof request !== "object" || request === null || Array.isArray(request))
      return failure("GenericError", "QMP input must be a JSON object");
    const { execute, arguments: args, id, ...rest } = request as Record<string, unknown>;
    const named = id === undefined ? {} : { id };
    const [unexpected] = Object.keys(rest);
    if (unexpected !== undefined)
      return { ...named, ...failure("GenericError", `QMP input member '${unexpected}' is unexpected`) };
    if (typeof execute !== "string")
      return { ...named, ...failure("GenericError", "QMP input lacks member 'execute'") };
    if (args !== undefined && (typeof args !== "object" || args === null || Array.isArray(args)))
      return { ...named, ...failure("GenericError", "QMP input member 'arguments' must be an object") };
    try {
      return { ...named, return: await this.#run(execute, args) };
    } catch (error) {
      const unknown = error instanceof UnknownCommand;
      return { ...named, ...failure(unknown ? "CommandNotFound" : classOf(error), (error as Error).message) };
    }
  }

  async #run(name: string, args: unknown): Promise<unknown> {
    if (name === "qmp_capabilities") {
      if (this.#negotiated) throw new UnknownCommand("Capabilities negotiation is already complete, command ignored");
      this.#negotiated = true;
      return {};
    }
    if (!this.#negotiated) throw new UnknownCommand("Expecting capabilities negotiation with 'qmp_capabilities'");
    if (name === "query-version") return versionOf(this.#host.version);
    return this.#host.run(name, args);
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    const text = this.#pretty ? JSON.stringify(message, undefined, 4) : spaced(message);
    this.#output.write(utf8(`${text}\r\n`));
  }
}

/** Commands of one client that wait for their answer; more are not read. */
const MAX_WAITING = 8;

function failure(kind: string, desc: string): Record<string, unknown> {
  return { error: { class: kind, desc } };
}

function classOf(error: unknown): string {
  return error instanceof BlockError && /^Device '.*' not found$/.test(error.message)
    ? "DeviceNotFound"
    : "GenericError";
}

function versionOf(text: string): unknown {
  const [major = 0, minor = 0, micro = 0] = text.split(".").map((n) => Number.parseInt(n, 10) || 0);
  return { qemu: { micro, minor, major }, package: `Mimus ${text}` };
}

/** JSON with a space behind each colon and comma, as QMP's other servers write it: people grep for it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{${members.map(([key, v]) => `${JSON.stringify(key)}: ${spaced(v)}`).join(", ")}}`;
}

function utf8(text: string): Uint8Array {
  // JSON may have any character escaped: ASCII is enough.
  const ascii = text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const out = new Uint8Array(ascii.length);
  for (let i = 0; i < out.length; i++) out[i] = ascii.charCodeAt(i);
  return out;
}
