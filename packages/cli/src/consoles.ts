import { type CharBackend, type CharConfig, MuxChar, openChar } from "@mimus/chardev";
import { nodeChars } from "@mimus/host-node";

import type { MachineConfig } from "./config.ts";
import type { CharTarget } from "./console-options.ts";
import { UsageError } from "./errors.ts";

/** Every character device of one machine, opened. */
export interface Consoles {
  /** By id, for `-device ...,chardev=ID`. */
  readonly chardevs: ReadonlyMap<string, CharBackend>;
  readonly serials: readonly (CharBackend | undefined)[];
  readonly parallels: readonly (CharBackend | undefined)[];
  /** Where human monitors listen. */
  readonly monitors: readonly CharBackend[];
  /** Where monitors for programs listen. */
  readonly qmps: readonly { readonly char: CharBackend; readonly pretty: boolean }[];
  readonly qtest: CharBackend | undefined;
  /** What each is, for `info chardev`. */
  readonly descriptions: readonly { readonly id: string; readonly description: string }[];
  close(): Promise<void>;
}

/** What a multiplexer's keys do; set once the machine is there. */
export interface ConsoleActions {
  quit(): void;
  commit(): void;
}

/** Opens the character devices that the configuration names. @throws CharError, UsageError */
export async function openConsoles(config: MachineConfig, actions: ConsoleActions): Promise<Consoles> {
  const opener = new Opener(actions);
  for (const { id, config: char } of config.chardevs) await opener.device(id, char);
  const serials = await opener.ports("serial", config.serials);
  const parallels = await opener.ports("parallel", config.parallels);
  const monitors = (await opener.ports("monitor", config.monitors)).filter((char) => char !== undefined);
  const programs = await opener.ports(
    "qmp",
    config.qmps.map(({ target }) => target),
  );
  const qmps = programs.flatMap((char, at) => (char === undefined ? [] : [{ char, pretty: config.qmps[at]!.pretty }]));
  const qtest = config.qtest === undefined ? undefined : await opener.open("-qtest", "qtest", config.qtest);
  return {
    chardevs: opener.chardevs(),
    serials,
    parallels,
    monitors: [...opener.monitors, ...monitors],
    qmps,
    qtest,
    descriptions: opener.descriptions,
    close: () => opener.close(),
  };
}

/** What has been opened so far. */
class Opener {
  readonly descriptions: { readonly id: string; readonly description: string }[] = [];
  /** Monitors that share a serial port's terminal (`mon:`). */
  readonly monitors: CharBackend[] = [];
  readonly #actions: ConsoleActions;
  readonly #opened: CharBackend[] = [];
  readonly #devices: Map<string, CharBackend> = new Map();
  readonly #muxes: Map<string, MuxChar> = new Map();
  readonly #start = performance.now();
  /** The option that the terminal belongs to. */
  #terminal = "";

  constructor(actions: ConsoleActions) {
    this.#actions = actions;
  }

  /** `-chardev` */
  async device(id: string, char: CharConfig): Promise<void> {
    if (this.#devices.has(id) || this.#muxes.has(id))
      throw new UsageError(`-chardev: there is already a character device '${id}'; choose another id`);
    const backend = await this.#openChar(`-chardev stdio,id=${id}`, id, char);
    if (char.mux) this.#muxes.set(id, this.#mux(backend));
    else this.#devices.set(id, backend);
  }

  /** The ports of one kind, in order. */
  async ports(kind: string, targets: readonly CharTarget[]): Promise<(CharBackend | undefined)[]> {
    const ports: (CharBackend | undefined)[] = [];
    for (const [index, target] of targets.entries()) ports.push(await this.open(`-${kind}`, `${kind}${index}`, target));
    return ports;
  }

  async open(option: string, label: string, target: CharTarget): Promise<CharBackend | undefined> {
    if (target.none === true) return undefined;
    if (target.chardev !== undefined) return this.#find(option, target.chardev);
    if (target.config === undefined) return undefined;
    const backend = await this.#openChar(option, label, target.config);
    if (!target.config.mux) return backend;
    const mux = this.#mux(backend);
    const port = mux.port();
    if (target.monitor && option === "-serial") this.monitors.push(mux.port());
    return port;
  }

  /** By id; of one that is shared, one more port. */
  chardevs(): ReadonlyMap<string, CharBackend> {
    return new Map([...this.#devices, ...Array.from(this.#muxes, ([id, mux]) => [id, mux.port()] as const)]);
  }

  async close(): Promise<void> {
    for (const backend of this.#opened) await backend.close();
  }

  async #openChar(user: string, label: string, char: CharConfig): Promise<CharBackend> {
    if (char.backend === "stdio") this.#takeTerminal(user);
    const backend = await openChar(label, char, nodeChars);
    this.#opened.push(backend);
    this.descriptions.push({ id: label, description: char.backend });
    return backend;
  }

  #takeTerminal(user: string): void {
    if (this.#terminal !== "")
      throw new UsageError(
        `${user}: ${this.#terminal} is on stdio already; for both use '-chardev stdio,id=ID,mux=on' and chardev:ID, or mon:stdio`,
      );
    this.#terminal = user;
  }

  #mux(backend: CharBackend): MuxChar {
    return new MuxChar(backend, {
      quit: () => this.#actions.quit(),
      commit: () => this.#actions.commit(),
      milliseconds: () => performance.now() - this.#start,
    });
  }

  #find(option: string, id: string): CharBackend {
    const found = this.#muxes.get(id)?.port() ?? this.#devices.get(id);
    if (found === undefined)
      throw new UsageError(`${option}: there is no character device '${id}'; create it with -chardev BACKEND,id=${id}`);
    return found;
  }
}
