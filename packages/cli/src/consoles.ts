import { type CharBackend, type CharConfig, MuxChar, openChar } from "@mimus/chardev";
import { nodeChars } from "@mimus/host-node";

import type { CharTarget, MachineConfig } from "./config.ts";
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
  const opened: CharBackend[] = [];
  const chardevs = new Map<string, CharBackend>();
  const muxes = new Map<string, MuxChar>();
  const descriptions: { id: string; description: string }[] = [];
  const start = performance.now();
  let terminal = "";
  const takeTerminal = (user: string, { backend }: CharConfig): void => {
    if (backend !== "stdio") return;
    if (terminal !== "")
      throw new UsageError(
        `${user}: ${terminal} is on stdio already; for both use '-chardev stdio,id=ID,mux=on' and chardev:ID, or mon:stdio`,
      );
    terminal = user;
  };
  const muxOf = (backend: CharBackend): MuxChar =>
    new MuxChar(backend, {
      quit: () => actions.quit(),
      commit: () => actions.commit(),
      milliseconds: () => performance.now() - start,
    });

  for (const { id, config: char } of config.chardevs) {
    if (chardevs.has(id) || muxes.has(id))
      throw new UsageError(`-chardev: there is already a character device '${id}'; choose another id`);
    takeTerminal(`-chardev stdio,id=${id}`, char);
    const backend = await openChar(id, char, nodeChars);
    opened.push(backend);
    if (char.mux) muxes.set(id, muxOf(backend));
    else chardevs.set(id, backend);
    descriptions.push({ id, description: char.backend });
  }

  const find = (option: string, id: string): CharBackend => {
    const found = muxes.get(id)?.port() ?? chardevs.get(id);
    if (found === undefined)
      throw new UsageError(`${option}: there is no character device '${id}'; create it with -chardev BACKEND,id=${id}`);
    return found;
  };
  const monitors: CharBackend[] = [];
  const open = async (option: string, label: string, target: CharTarget): Promise<CharBackend | undefined> => {
    if (target.none === true) return undefined;
    if (target.chardev !== undefined) return find(option, target.chardev);
    if (target.config === undefined) return undefined;
    takeTerminal(option, target.config);
    const backend = await openChar(label, target.config, nodeChars);
    opened.push(backend);
    descriptions.push({ id: label, description: target.config.backend });
    if (!target.config.mux) return backend;
    const mux = muxOf(backend);
    const port = mux.port();
    if (target.monitor && option === "-serial") monitors.push(mux.port());
    return port;
  };

  const serials: (CharBackend | undefined)[] = [];
  for (const [index, target] of config.serials.entries()) serials.push(await open("-serial", `serial${index}`, target));
  const parallels: (CharBackend | undefined)[] = [];
  for (const [index, target] of config.parallels.entries())
    parallels.push(await open("-parallel", `parallel${index}`, target));
  for (const [index, target] of config.monitors.entries()) {
    const backend = await open("-monitor", `monitor${index}`, target);
    if (backend !== undefined) monitors.push(backend);
  }
  const qmps: { char: CharBackend; pretty: boolean }[] = [];
  for (const [index, { target, pretty }] of config.qmps.entries()) {
    const char = await open("-qmp", `qmp${index}`, target);
    if (char !== undefined) qmps.push({ char, pretty });
  }
  const qtest = config.qtest === undefined ? undefined : await open("-qtest", "qtest", config.qtest);
  for (const [id, mux] of muxes) chardevs.set(id, mux.port());
  return {
    chardevs,
    serials,
    parallels,
    monitors,
    qmps,
    qtest,
    descriptions,
    close: async () => {
      for (const backend of opened) await backend.close();
    },
  };
}
