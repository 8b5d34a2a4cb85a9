import { rmSync } from "node:fs";

import { BlockGraph, nest } from "@mimus/block";
import { type CharBackend, charConfig, openChar } from "@mimus/chardev";
import { nodeChars, nodeFormatHost, nodeSockets } from "@mimus/host-node";
import { messageOf, Objects, parseArguments, ToolError } from "@mimus/image-tools";
import { StorageDaemon } from "@mimus/storage-daemon";

import { type KeyValues, keyValues } from "../args/keyval.ts";
import { inBackground, ready, startInBackground, writePidFile } from "../background.ts";
import { blockServices, isNetworkObject, tlsLookup } from "../block-services.ts";
import { discover } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { after } from "../nbd/serve.ts";
import { STORAGE_OPTIONS, storageHelp } from "../storage-options.ts";
import { toolHost } from "../tool-host.ts";
import { VERSION } from "../version.ts";

const PROGRAM = "mimus storage-daemon";

/** `mimus storage-daemon`: block nodes, jobs and exports without a machine. @returns the exit status */
export async function storageDaemonCommand(argv: readonly string[]): Promise<number> {
  let option = "";
  try {
    const { given, operands, has } = bound(parseArguments(argv, STORAGE_OPTIONS));
    if (has("help")) return print(storageHelp());
    if (has("version")) return print(`mimus-storage-daemon ${VERSION}\n`);
    if (operands[0] !== undefined) throw new ToolError(`Unexpected argument: ${operands[0]}`);
    if (has("daemonize") && !inBackground()) return await startInBackground();
    const run = await Running.start();
    try {
      for (const [name, value] of given) {
        option = value === "" ? "" : `--${name} ${value}: `;
        await run.take(name, value);
      }
      option = "";
      return await run.untilDone();
    } finally {
      await run.close();
    }
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    process.stderr.write(`${PROGRAM}: ${option}${messageOf(error)}\n`);
    if (error instanceof ToolError && error.hint)
      process.stderr.write(`Try '${PROGRAM} --help' for more information.\n`);
    return 1;
  }
}

function bound(args: ReturnType<typeof parseArguments>): {
  given: typeof args.given;
  operands: typeof args.operands;
  has: (name: string) => boolean;
} {
  return { given: args.given, operands: args.operands, has: (name) => args.has(name) };
}

/** A daemon while it is built and while it runs. */
class Running {
  readonly #daemon: StorageDaemon;
  readonly #graph: BlockGraph;
  readonly #secrets: Objects;
  readonly #network: KeyValues[];
  readonly #chars: Map<string, CharBackend> = new Map();
  #pidFile: string | undefined;
  #finish!: () => void;
  readonly #done: Promise<void> = new Promise((resolve) => (this.#finish = resolve));

  private constructor(graph: BlockGraph, secrets: Objects, network: KeyValues[]) {
    this.#graph = graph;
    this.#secrets = secrets;
    this.#network = network;
    const host = toolHost(PROGRAM, graph.host.registry, {});
    this.#daemon = new StorageDaemon({
      graph,
      version: VERSION,
      sockets: nodeSockets,
      after,
      ...(host.allocated ? { allocated: host.allocated } : {}),
      tls: (id, authz) => tlsLookup(network, (of) => secrets.secret(of), authz)(id),
      now: () => Date.now(),
      addObject: (options) => this.#addObject(options),
      removeObject: (id) => this.#removeObject(id),
      quit: () => setImmediate(this.#finish),
    });
  }

  static async start(): Promise<Running> {
    const { registry } = await discover(process.cwd());
    const network: KeyValues[] = [];
    const secrets = new Objects(toolHost(PROGRAM, registry, {}));
    const secret = (id: string): Promise<Uint8Array> => secrets.secret(id);
    const host = toolHost(PROGRAM, registry, blockServices(network, secret));
    const graph = new BlockGraph({
      ...{ registry, files: host.files, services: host.services ?? {}, format: nodeFormatHost(secret) },
      warn: (message) => void process.stderr.write(`${PROGRAM}: ${message}\n`),
      delay: (ns) => host.delay(ns),
    });
    return new Running(graph, secrets, network);
  }

  /** One option of the command line. */
  async take(name: string, text: string): Promise<void> {
    switch (name) {
      case "blockdev": {
        const node = await this.#graph.open(options(name, text, "driver"));
        await this.#graph.bitmaps.load(node);
        return;
      }
      case "object":
        return this.#addObject(options(name, text, "qom-type"));
      case "chardev":
        return this.#addChar(options(name, text, "backend"));
      case "monitor":
        return this.#addMonitor(options(name, text, "chardev"));
      case "nbd-server":
        return this.#daemon.exports.start(options(name, text));
      case "export":
        return this.#daemon.exports.add(options(name, text, "type"));
      case "pidfile":
        this.#pidFile = text;
        return;
      default:
    }
  }

  /** Runs until a monitor or a signal ends it. */
  async untilDone(): Promise<number> {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, this.#finish);
    if (this.#pidFile !== undefined) writePidFile("--pidfile", this.#pidFile);
    ready();
    // Nothing else may hold the process: a monitor's socket waits without doing so.
    const awake = setInterval(() => {}, 2 ** 30);
    await this.#done;
    clearInterval(awake);
    return 0;
  }

  async close(): Promise<void> {
    await this.#daemon.close();
    for (const char of this.#chars.values()) await char.close();
    if (this.#pidFile !== undefined) rmSync(this.#pidFile, { force: true });
  }

  #addObject(given: Readonly<Record<string, unknown>>): void {
    const { "qom-type": type, id, ...rest } = given;
    if (typeof id !== "string" || id === "") throw new UsageError("Parameter 'id' is missing");
    if (type === "throttle-group") this.#graph.addThrottleGroup(id, rest);
    else if (isNetworkObject(type)) {
      if (this.#network.some((o) => o["id"] === id))
        throw new UsageError(`attempt to add duplicate property '${id}' to object (type 'container')`);
      this.#network.push({ ...given });
    } else if (type !== "iothread") this.#secrets.add(JSON.stringify(given));
  }

  #removeObject(id: string): void {
    const at = this.#network.findIndex((o) => o["id"] === id);
    if (at >= 0) this.#network.splice(at, 1);
    else if (!this.#secrets.remove(id) && !this.#graph.removeThrottleGroup(id))
      throw new UsageError(`object '${id}' not found`);
  }

  async #addChar(given: Readonly<Record<string, unknown>>): Promise<void> {
    const { backend, id, ...rest } = given;
    if (typeof id !== "string" || id === "") throw new UsageError("Parameter 'id' is missing");
    if (this.#chars.has(id)) throw new UsageError(`there is already a character device '${id}'`);
    this.#chars.set(id, await openChar(id, charConfig(String(backend), { ...rest, id }), nodeChars));
  }

  #addMonitor(given: Readonly<Record<string, unknown>>): void {
    const { chardev, mode = "control", pretty = "off", id: _id, ...rest } = given;
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) throw new UsageError(`Parameter '${unknown}' is unexpected`);
    if (mode !== "control") throw new UsageError("only mode=control (QMP) is there");
    const char = this.#chars.get(String(chardev));
    if (char === undefined) throw new UsageError(`chardev "${String(chardev)}" not found`);
    this.#daemon.addMonitor(char, pretty === "on" || pretty === true);
  }
}

/** Options of one argument, nested; members 0, 1, ... are a list. */
function options(option: string, text: string, implied?: string): KeyValues {
  const given = keyValues(`-${option}`, text, implied);
  return lists(text.startsWith("{") ? given : nest(given)) as KeyValues;
}

function lists(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, v]) => [key, lists(v)] as const);
  const isList = entries.length > 0 && entries.every(([key], index) => key === String(index));
  return isList ? entries.map(([, v]) => v) : Object.fromEntries(entries);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
