/** Options that are character devices: serial and parallel ports, monitors, the debug console. */
import { charConfig, type CharConfig, CharError, shortForm } from "@mimus/chardev";

import { type KeyValues, keyValues } from "./args/keyval.ts";
import { all, type GivenOption, last } from "./args/parse.ts";
import { onlyParameters, onOffParameter } from "./args/values.ts";
import { UsageError } from "./errors.ts";

/** Where a serial port or a monitor goes. */
export type CharTarget = ReturnType<typeof shortForm>;

/** A character device with an id, as `-chardev` has it. */
export interface CharDevice {
  readonly id: string;
  readonly config: CharConfig;
}

/** What the options say of ports and monitors. */
export interface ConsoleOptions {
  readonly serials: readonly CharTarget[];
  readonly parallels: readonly CharTarget[];
  readonly monitors: readonly CharTarget[];
  /** Monitors for programs (QMP). */
  readonly qmps: readonly { readonly target: CharTarget; readonly pretty: boolean }[];
}

/** `-debugcon DEV`: a character device behind port E9h. */
export function debugConsole(given: readonly GivenOption[]): {
  chardevs: CharDevice[];
  devices: KeyValues[];
} {
  const text = last(given, "debugcon");
  const target = optionalTarget("debugcon", text);
  if (target === undefined || target.none === true) return { chardevs: [], devices: [] };
  const id = target.chardev ?? "debugcon";
  const { config } = target;
  return {
    chardevs: config === undefined ? [] : [{ id, config: { ...config, id } }],
    devices: [{ driver: "isa-debugcon", chardev: id, iobase: "0xe9" }],
  };
}

/** `-chardev`. @throws UsageError */
export function chardev(text: string): CharDevice {
  const { backend, ...options } = keyValues("chardev", text, "backend", ["wait", "delay"]);
  if (typeof backend !== "string")
    throw new UsageError(`-chardev ${text}: expected a back end first ('-chardev help')`);
  const config = userError(() => charConfig(backend, options));
  if (config.id === undefined) throw new UsageError(`-chardev ${text}: needs id=ID`);
  return { id: config.id, config };
}

/** Serial ports and monitors; `-nographic` puts both on the terminal unless they are given. */
export function consoleTargets(given: readonly GivenOption[], nographic: boolean): ConsoleOptions {
  const target = (option: string, text: string): CharTarget => userError(() => shortForm(text), `-${option}`);
  const serials = all(given, "serial").map((text) => target("serial", text));
  const parallels = all(given, "parallel").map((text) => target("parallel", text));
  const mons = all(given, "mon").map((text) => {
    const values = keyValues("mon", text, "chardev");
    const { chardev, mode = "readline" } = values;
    if (typeof chardev !== "string") throw new UsageError(`-mon ${text}: needs chardev=ID`);
    onlyParameters("mon", values, ["chardev", "mode", "pretty"]);
    if (mode !== "readline" && mode !== "control")
      throw new UsageError(`-mon ${text}: mode=${String(mode)}: expected readline or control`);
    const pretty = onOffParameter("mon", values, "pretty") ?? false;
    return { target: { monitor: true, chardev }, mode, pretty };
  });
  const monitors = [
    ...all(given, "monitor").map((text) => target("monitor", text)),
    ...mons.filter((m) => m.mode === "readline").map((m) => m.target),
  ];
  const qmps = [
    ...all(given, "qmp").map((text) => ({ target: target("qmp", text), pretty: false })),
    ...all(given, "qmp-pretty").map((text) => ({ target: target("qmp-pretty", text), pretty: true })),
    ...mons.filter((m) => m.mode === "control"),
  ];
  const defaults = last(given, "nodefaults") === undefined;
  if (nographic && serials.length === 0 && monitors.length + qmps.length === 0 && defaults)
    serials.push(shortForm("mon:stdio"));
  else if (nographic && serials.length === 0 && defaults) serials.push(shortForm("stdio"));
  return { serials, parallels, monitors, qmps };
}

/** A character device that may not be there. */
export function optionalTarget(option: string, text: string | undefined): CharTarget | undefined {
  return text === undefined ? undefined : userError(() => shortForm(text), `-${option}`);
}

/** Runs `act`; an error of the character devices becomes one of the command line. */
function userError<T>(act: () => T, prefix?: string): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof CharError)) throw error;
    throw new UsageError(prefix === undefined ? error.message : `${prefix}: ${error.message}`);
  }
}
