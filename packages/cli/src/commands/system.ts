import { rmSync, writeFileSync } from "node:fs";

import { readWhole, reason } from "@mimus/host-node";
import { commitDrives, HumanMonitor } from "@mimus/monitor";
import { attachQtest, type System } from "@mimus/system";
import { jitText } from "@mimus/tcg";

import { configFile } from "../args/config-file.ts";
import { helpText } from "../args/options.ts";
import { all, type GivenOption, last, parseArguments } from "../args/parse.ts";
import { readBranchHints } from "../branch-hints.ts";
import { compose } from "../compose.ts";
import { machineConfig, type MachineConfig } from "../config.ts";
import { type Consoles, openConsoles } from "../consoles.ts";
import { discover } from "../discover.ts";
import { openDisplay } from "../displays.ts";
import { type Drives, openDrives } from "../drives.ts";
import { UsageError } from "../errors.ts";
import { checkIgnored } from "../ignored-options.ts";
import { type Logging, logging } from "../logging.ts";
import { findMachine } from "../machines.ts";
import { control } from "../control.ts";
import { withBoardDefaults } from "../defaults.ts";
import { programSide } from "../machine-qmp.ts";
import type { Facts } from "../scripts/facts.ts";
import { VERSION } from "../version.ts";
import { answerHelp } from "./help.ts";

/** `mimus system-ARCH`: runs a machine to its end. @returns the exit status */
export async function systemCommand(target: string, argv: readonly string[], facts: Facts): Promise<number> {
  const given = withFiles(parseArguments(argv));
  if (last(given, "h") !== undefined) return print(helpText(`mimus system-${target}`));
  if (last(given, "version") !== undefined) return print(`Mimus emulator version ${VERSION}\n`);
  const { registry, locate } = await discover(process.cwd(), all(given, "plugin"), facts);
  const help = await answerHelp(given, registry, target);
  if (help !== undefined) return print(help);
  return runMachine(target, given, registry, locate);
}

async function runMachine(
  target: string,
  given: readonly GivenOption[],
  registry: Awaited<ReturnType<typeof discover>>["registry"],
  locate: (name: string) => string,
): Promise<number> {
  checkIgnored(given);
  const wanted = machineConfig(given);
  const log = logging(wanted.log.items, wanted.log.file, wanted.log.filter);
  const named = wanted.machine["type"];
  const machine = await findMachine(registry, typeof named === "string" ? named : undefined, target);
  const config = withBoardDefaults(wanted, machine, registry);
  const drives = await openDrives(
    config,
    registry,
    (machine.class["defaultInterface"] as string | undefined) ?? "none",
  );
  let system: System | undefined;
  const consoles = await openConsoles(config, {
    quit: () => system?.shutdown(),
    commit: () => {
      commitDrives(drives, "all").catch((error: unknown) => log.line(`commit: ${(error as Error).message}`));
    },
  });
  try {
    readBranchHints();
    system = await compose(config, target, { registry, machine, consoles, drives, logging: log, locate });
    const dump = config.machine["dumpdtb"];
    if (typeof dump === "string") return dumpDeviceTree(system, dump);
    if (config.pidfile !== undefined) writePidfile(config.pidfile);
    sayWhyStopped(system, log);
    return await runToEnd(system, config, consoles, drives, log);
  } finally {
    if (system !== undefined && config.pidfile !== undefined) rmSync(config.pidfile, { force: true });
    await drives.jobs.closeAll();
    await drives.graph.closeAll();
    if (system?.engine !== undefined && log.items.has("stats")) log.line(jitText(system.engine));
    await consoles.close();
    await log.close();
  }
}

/** Connects monitors, signals and screen, starts the machine, and waits for its end. @returns the exit status */
async function runToEnd(
  system: System,
  config: MachineConfig,
  consoles: Consoles,
  drives: Drives,
  log: Logging,
): Promise<number> {
  const programs = programSide(system, config, consoles, drives, control(system, config, consoles, drives, log));
  for (const monitor of consoles.monitors) new HumanMonitor(monitor, programs.machine);
  if (consoles.qtest !== undefined) attachQtest(system, consoles.qtest);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      process.stderr.write(`mimus: terminating on ${signal}\n`);
      system.shutdown();
    });
  const display = await openDisplay(config.display, system, config.name ?? "");
  if (!config.paused) system.start();
  // A paused machine waits for its monitor, also when nothing on this host could wake the process.
  const awake = setInterval(() => {}, 2 ** 30);
  const exit = await system.exit;
  clearInterval(awake);
  await display?.close();
  await programs.close();
  if (exit.reason === "error") throw exit.error;
  return exit.code;
}

/** The options with those of `-readconfig` files in their place. */
function withFiles(given: readonly GivenOption[]): GivenOption[] {
  return given.flatMap((option) => {
    if (option.name !== "readconfig") return [option];
    try {
      return configFile(option.value, Buffer.from(readWhole(option.value)).toString());
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`-readconfig: Could not open '${option.value}': ${reason(error)}`);
    }
  });
}

/** One line for each time that a drive stops the machine, however many requests fail together. */
function sayWhyStopped(system: System, log: Logging): void {
  let why = "";
  system.onEvent((event) => {
    if (event.type === "io-error") why = `drive '${event.error.device}': ${event.error.reason}`;
    else if (event.type === "state" && event.state === "io-error")
      log.line(`mimus: ${why}; the machine is stopped: 'cont' in the monitor tries again`);
  });
}

function writePidfile(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    throw new UsageError(`-pidfile: Could not write '${path}': ${reason(error)}`);
  }
}

function dumpDeviceTree(system: System, path: string): number {
  const tree = system.deviceTree;
  if (tree === undefined) throw new UsageError(`-M dumpdtb=${path}: this machine has no device tree`);
  writeFileSync(path, tree);
  process.stderr.write(`mimus: device tree written to ${path}\n`);
  return 0;
}

function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}
