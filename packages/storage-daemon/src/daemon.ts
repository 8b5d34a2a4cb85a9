import type { BlockGraph } from "@mimus/block";
import { Jobs } from "@mimus/block";
import type { CharBackend } from "@mimus/chardev";
import type { BlockControl } from "@mimus/monitor";
import { BLOCK_COMMANDS, BLOCK_EVENTS, qmpSchema } from "@mimus/monitor";
import { z } from "zod";
import type { ExportHost } from "./exports.ts";
import { BlockExports } from "./exports.ts";
import { QmpMonitor, UnknownCommand } from "./qmp.ts";

/** What a storage daemon needs of its process. */
export interface DaemonHost extends ExportHost {
  /** The nodes that it serves. */
  readonly graph: BlockGraph;
  /** What `query-version` says. */
  readonly version: string;
  /** Milliseconds since 1970. */
  now(): number;
  /** Bytes that a host file takes on its disk; undefined: nobody knows. */
  allocated?(path: string): Promise<number | undefined>;
  /** Makes or removes an object by QMP. */
  addObject(options: Readonly<Record<string, unknown>>): Promise<void> | void;
  removeObject(id: string): void;
  /** The monitor asks the process to end. */
  quit(): void;
}

/** Commands that belong to machines: the same names are known here, without effect on anything. */
const NOT_HERE: ReadonlySet<string> = new Set([
  "eject",
  "blockdev-open-tray",
  "blockdev-close-tray",
  "blockdev-change-medium",
  "query-block",
]);

const OWN: readonly { readonly name: string; readonly schema: z.ZodObject }[] = [
  { name: "quit", schema: z.strictObject({}) },
  { name: "object-add", schema: z.looseObject({ "qom-type": z.string(), id: z.string() }) },
  { name: "object-del", schema: z.strictObject({ id: z.string() }) },
];

/** Block nodes, jobs and exports without a machine, and monitors for them. */
export class StorageDaemon {
  /** Nodes and jobs. */
  readonly control: BlockControl;
  /** What clients may open. */
  readonly exports: BlockExports;
  readonly #host: DaemonHost;
  readonly #monitors: QmpMonitor[] = [];

  constructor(host: DaemonHost) {
    this.#host = host;
    const jobs = new Jobs(host.graph);
    const emit = (name: string, data: Readonly<Record<string, unknown>>): void => {
      for (const monitor of this.#monitors) monitor.emit(name, data);
    };
    jobs.onEvent = ({ name, data }) => emit(name, data);
    const { allocated } = host;
    this.control = { graph: host.graph, jobs, emit, ...(allocated ? { allocated } : {}) };
    this.exports = new BlockExports(this.control, host);
  }

  /** A QMP monitor on a character device. */
  addMonitor(char: CharBackend, pretty: boolean): void {
    const { version } = this.#host;
    const monitor = new QmpMonitor(
      char,
      { version, now: () => this.#host.now(), run: (name, args) => this.run(name, args) },
      pretty,
    );
    this.#monitors.push(monitor);
  }

  /** Runs one command. @throws UnknownCommand, BlockError */
  async run(name: string, args: unknown): Promise<unknown> {
    const commands = this.exports.commands();
    const found = commands.get(name) ?? (NOT_HERE.has(name) ? undefined : BLOCK_COMMANDS.get(name));
    if (found !== undefined) return found.run(this.control, args);
    switch (name) {
      case "quit":
        // The answer leaves first.
        void Promise.resolve().then(() => this.#host.quit());
        return {};
      case "query-commands":
        return [...BLOCK_COMMANDS.keys()]
          .filter((command) => !NOT_HERE.has(command))
          .concat(
            ...commands.keys(),
            "qmp_capabilities",
            "query-version",
            "query-commands",
            "query-qmp-schema",
            "quit",
            "object-add",
            "object-del",
          )
          .toSorted()
          .map((command) => ({ name: command }));
      case "query-qmp-schema":
        return qmpSchema(
          [...BLOCK_COMMANDS.values(), ...commands.values(), ...OWN].filter((c) => !NOT_HERE.has(c.name)),
          [...BLOCK_EVENTS, "BLOCK_EXPORT_DELETED"],
          this.#host.graph.host.registry,
        );
      case "object-add":
        await this.#host.addObject(args as Readonly<Record<string, unknown>>);
        return {};
      case "object-del":
        this.#host.removeObject(String((args as { id?: unknown } | undefined)?.id ?? ""));
        return {};
      default:
        throw new UnknownCommand(`The command ${name} has not been found`);
    }
  }

  /** Ends exports, then nodes. */
  async close(): Promise<void> {
    await this.exports.close();
    await this.#host.graph.closeAll();
  }
}
