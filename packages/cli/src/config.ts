import { nest } from "@mimus/block";
import type { CpuTopology } from "@mimus/machine-core";
import type { BoardOptions } from "@mimus/system";

import { acceleratorOptions } from "./accelerator.ts";
import { type KeyValues, keyValues } from "./args/keyval.ts";
import { all, type GivenOption, last } from "./args/parse.ts";
import { applySet } from "./args/set.ts";
import { onlyParameters, onOffParameter, wholeNumber } from "./args/values.ts";
import { bootOptions } from "./boot-option.ts";
import {
  chardev,
  type CharDevice,
  type CharTarget,
  type ConsoleOptions,
  consoleTargets,
  debugConsole,
  optionalTarget,
} from "./console-options.ts";
import { type DisplayConfig, displayConfig } from "./displays.ts";
import { drives, virtfs } from "./disk-options.ts";
import { UsageError } from "./errors.ts";
import { tableOptions } from "./firmware-items.ts";
import { type GuestActions, guestActions } from "./guest-actions.ts";
import { machineOptions, memoryBackend } from "./machine-options.ts";
import { memory } from "./memory-option.ts";
import { topology } from "./smp-option.ts";
import { parseUuid } from "./uuid.ts";

/** `-global DRIVER.PROPERTY=VALUE`. */
interface GlobalDefault {
  readonly driver: string;
  readonly property: string;
  readonly value: string;
}

/** One machine as the command line describes it, before anything is opened. */
export interface MachineConfig extends ConsoleOptions {
  readonly machine: KeyValues;
  readonly accel: KeyValues;
  readonly cpu: KeyValues;
  /** Number of processors. */
  readonly cpus: number;
  /** What the board is told besides. */
  readonly board: BoardOptions;
  readonly vga: string | undefined;
  /** Directories that are searched for firmware (`-L`). */
  readonly dataPaths: readonly string[];
  /** Bytes of guest memory; undefined = the board's default. */
  readonly ram: number | undefined;
  readonly drives: readonly KeyValues[];
  readonly blockdevs: readonly KeyValues[];
  readonly devices: readonly KeyValues[];
  readonly objects: readonly KeyValues[];
  readonly globals: readonly GlobalDefault[];
  readonly fsdevs: readonly KeyValues[];
  readonly chardevs: readonly CharDevice[];
  readonly qtest: CharTarget | undefined;
  readonly boot: {
    readonly bios: string | undefined;
    readonly kernel: string | undefined;
    readonly initrd: string | undefined;
    readonly append: string | undefined;
    readonly dtb: string | undefined;
  };
  readonly nodefaults: boolean;
  readonly snapshot: boolean;
  readonly paused: boolean;
  readonly actions: GuestActions;
  readonly rtc: KeyValues;
  readonly icount: KeyValues | undefined;
  readonly seed: number | undefined;
  readonly log: { readonly items: string; readonly file: string | undefined; readonly filter: string | undefined };
  readonly singlestep: boolean;
  readonly pidfile: string | undefined;
  /** What the user calls the machine. */
  readonly name: string | undefined;
  /** Sixteen bytes. */
  readonly uuid: Uint8Array | undefined;
  readonly bootMenu: boolean | undefined;
  readonly display: DisplayConfig;
}

const NONE_ONLY = ["nic", "net"] as const;

/** Turns options into a description of a machine. @throws UsageError with the option that is wrong. */
export function machineConfig(options: readonly GivenOption[]): MachineConfig {
  const asked = applySet(options);
  const { accel: ofMachine, ...properties } = merged(asked, "machine", "type");
  const { options: fromMachine, own: machine } = machineOptions(properties);
  const given = withProperties(fromMachine, asked);
  refuseUnavailable(given);
  const allObjects = all(given, "object").map((text) => nest(keyValues("object", text, "qom-type")));
  const { cpus, topology: arranged } = topology(optional(given, "smp", "cpus"));
  const { size: ofBackend, objects } = memoryBackend(last(given, "memory-backend"), allObjects);
  return {
    ...boardConfig(given, machine, arranged),
    cpu: optional(given, "cpu", "") ?? {},
    cpus,
    accel: acceleratorOptions(merged(given, "accel", "accel"), ofMachine),
    ram: memory(given, ofBackend),
    objects,
    ...parts(given),
    ...consoleTargets(given, flag(given, "nographic")),
    ...identity(given),
    ...running(given),
  };
}

const flag = (given: readonly GivenOption[], name: string): boolean => last(given, name) !== undefined;

/** The parameters of an option that counts once. */
function optional(given: readonly GivenOption[], name: string, implied?: string): KeyValues | undefined {
  const text = last(given, name);
  return text === undefined ? undefined : keyValues(name, text, implied);
}

/** The board, and what its firmware is told and starts. */
function boardConfig(
  given: readonly GivenOption[],
  machine: KeyValues,
  arranged: CpuTopology,
): Pick<MachineConfig, "machine" | "board" | "boot" | "bootMenu" | "vga" | "display" | "dataPaths" | "nodefaults"> {
  const { bootMenu, ...boot } = bootOptions(optional(given, "boot", "order"));
  const [vga, nographic, nodefaults] = [last(given, "vga"), flag(given, "nographic"), flag(given, "nodefaults")];
  return {
    machine: {
      ...(flag(given, "no-acpi") ? { acpi: "off" } : {}),
      ...(flag(given, "no-hpet") ? { hpet: "off" } : {}),
      ...machine,
    },
    board: {
      topology: arranged,
      ...boot,
      ...tableOptions(given),
      ...(nodefaults ? { noDefaults: true } : {}),
      ...(nographic ? { nographic: true } : {}),
      ...(flag(given, "no-fd-bootchk") ? { anyFloppy: true } : {}),
      ...(vga === undefined ? {} : { vga }),
    },
    boot: {
      bios: last(given, "bios"),
      kernel: last(given, "kernel"),
      initrd: last(given, "initrd"),
      append: last(given, "append"),
      dtb: last(given, "dtb"),
    },
    bootMenu,
    vga,
    display: displayConfig(nographic ? undefined : optional(given, "display", "type")),
    dataPaths: all(given, "L"),
    nodefaults,
  };
}

/** What is plugged in, and what stands behind it. */
function parts(
  given: readonly GivenOption[],
): Pick<MachineConfig, "drives" | "blockdevs" | "snapshot" | "devices" | "globals" | "fsdevs" | "chardevs" | "qtest"> {
  const console = debugConsole(given);
  const shared = virtfs(given);
  return {
    drives: drives(given),
    blockdevs: all(given, "blockdev").map((text) => nest(keyValues("blockdev", text, "driver"))),
    snapshot: flag(given, "snapshot"),
    devices: [
      ...all(given, "device").map((text) => keyValues("device", text, "driver")),
      ...shared.map(({ device }) => device),
      ...console.devices,
    ],
    globals: [...rtcGlobals(optional(given, "rtc") ?? {}), ...all(given, "global").map(globalDefault)],
    fsdevs: [
      ...all(given, "fsdev").map((text) => keyValues("fsdev", text, "fsdriver")),
      ...shared.map(({ fsdev }) => fsdev),
    ],
    chardevs: [...all(given, "chardev").map(chardev), ...console.chardevs],
    qtest: optionalTarget("qtest", last(given, "qtest")),
  };
}

function identity(given: readonly GivenOption[]): Pick<MachineConfig, "name" | "uuid" | "pidfile"> {
  const uuid = last(given, "uuid");
  return {
    name: guestName(last(given, "name")),
    uuid: uuid === undefined ? undefined : parseUuid(uuid),
    pidfile: last(given, "pidfile"),
  };
}

/** How it runs, and what is told of it. */
function running(
  given: readonly GivenOption[],
): Pick<MachineConfig, "paused" | "actions" | "rtc" | "icount" | "seed" | "log" | "singlestep"> {
  return {
    paused: flag(given, "S"),
    actions: guestActions(given),
    rtc: optional(given, "rtc") ?? {},
    icount: last(given, "icount") === "off" ? undefined : optional(given, "icount", "shift"),
    seed: wholeNumber("seed ", last(given, "seed")),
    log: { items: all(given, "d").join(","), file: last(given, "D"), filter: last(given, "dfilter") },
    singlestep: flag(given, "singlestep"),
  };
}

/** `-name [guest=]NAME[,process=P][,debug-threads=on|off]` */
function guestName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const values = keyValues("name", text, "guest");
  onlyParameters("name", values, ["guest", "process", "debug-threads"]);
  onOffParameter("name", values, "debug-threads");
  const { guest } = values;
  return guest === undefined ? undefined : String(guest);
}

/** `-rtc driftfix=slew` is a property of the clock chip. */
function rtcGlobals({ driftfix }: KeyValues): GlobalDefault[] {
  if (driftfix === undefined || driftfix === "none") return [];
  if (driftfix !== "slew") throw new UsageError(`-rtc driftfix=${String(driftfix)}: expected none or slew`);
  return [{ driver: "mc146818rtc", property: "lost_tick_policy", value: "slew" }];
}

function refuseUnavailable(given: readonly GivenOption[]): void {
  for (const name of NONE_ONLY)
    for (const value of all(given, name))
      if (value !== "none")
        throw new UsageError(`-${name} ${value}: no such back end is installed; only '-${name} none' works`);
  const [netdev] = all(given, "netdev");
  if (netdev !== undefined) throw new UsageError(`-netdev ${netdev}: no network back end is installed`);
}

function merged(given: readonly GivenOption[], name: string, implied: string): KeyValues {
  return Object.assign({}, ...all(given, name).map((text) => keyValues(name, text, implied))) as KeyValues;
}

/** What properties of `-M` stand for, in front of the options that say the same: of several parameters each may say some. */
function withProperties(properties: readonly GivenOption[], given: readonly GivenOption[]): GivenOption[] {
  const rest = [...given];
  const front = properties.map(({ name, value }) => {
    if (name !== "boot" && name !== "smp" && name !== "m") return { name, value };
    const at = rest.findLastIndex((option) => option.name === name);
    const said = at < 0 ? undefined : rest.splice(at, 1)[0]!.value;
    if (said === undefined) return { name, value };
    const first = { boot: "order", smp: "cpus", m: "size" }[name];
    const named = /^[^,=]+=/.test(said) ? said : `${first}=${said}`;
    return { name, value: `${value},${named}` };
  });
  return [...front, ...rest];
}

function globalDefault(text: string): GlobalDefault {
  const match = /^([^.=]+)\.([^=]+)=(.*)$/.exec(text);
  if (match !== null) return { driver: match[1] ?? "", property: match[2] ?? "", value: match[3] ?? "" };
  const options = keyValues("global", text);
  const { driver, property, value } = options;
  if (typeof driver === "string" && typeof property === "string" && typeof value === "string") {
    onlyParameters("global", options, ["driver", "property", "value"]);
    return { driver, property, value };
  }
  throw new UsageError(`-global ${text}: expected DRIVER.PROPERTY=VALUE`);
}
