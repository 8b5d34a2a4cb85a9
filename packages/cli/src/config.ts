import { nest } from "@mimus/block";
import { charConfig, type CharConfig, CharError, shortForm } from "@mimus/chardev";

import { acceleratorOptions } from "./accelerator.ts";
import { bytes, type KeyValues, keyValues } from "./args/keyval.ts";
import { all, type GivenOption, last } from "./args/parse.ts";
import { applySet } from "./args/set.ts";
import { onlyParameters, onOffParameter, wholeNumber } from "./args/values.ts";
import type { BoardOptions } from "@mimus/system";
import { type DisplayConfig, displayConfig } from "./displays.ts";
import { UsageError } from "./errors.ts";
import { type GuestActions, guestActions } from "./guest-actions.ts";
import { machineOptions, memoryBackend } from "./machine-options.ts";
import { bootOptions, tableOptions, topology } from "./pc-options.ts";
import { parseUuid } from "./uuid.ts";

/** `-global DRIVER.PROPERTY=VALUE`. */
interface GlobalDefault {
  readonly driver: string;
  readonly property: string;
  readonly value: string;
}

/** Where a serial port or a monitor goes. */
export type CharTarget = ReturnType<typeof shortForm>;

/** One machine as the command line describes it, before anything is opened. */
export interface MachineConfig {
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
  readonly chardevs: readonly { readonly id: string; readonly config: CharConfig }[];
  readonly serials: readonly CharTarget[];
  readonly parallels: readonly CharTarget[];
  readonly monitors: readonly CharTarget[];
  /** Monitors for programs (QMP). */
  readonly qmps: readonly { readonly target: CharTarget; readonly pretty: boolean }[];
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
  const flag = (name: string): boolean => last(given, name) !== undefined;
  const optional = (name: string, implied?: string): KeyValues | undefined => {
    const text = last(given, name);
    return text === undefined ? undefined : keyValues(name, text, implied);
  };
  const actions = guestActions(given);
  const consoles = consoleTargets(given, flag("nographic"));
  const uuid = last(given, "uuid");
  const { cpus, topology: arranged } = topology(optional("smp", "cpus"));
  const { bootMenu, ...boot } = bootOptions(optional("boot", "order"));
  const vga = last(given, "vga");
  const console = debugConsole(given);
  const allObjects = all(given, "object").map((text) => nest(keyValues("object", text, "qom-type")));
  const { size: ofBackend, objects } = memoryBackend(last(given, "memory-backend"), allObjects);
  return {
    machine: {
      ...(flag("no-acpi") ? { acpi: "off" } : {}),
      ...(flag("no-hpet") ? { hpet: "off" } : {}),
      ...machine,
    },
    display: displayConfig(flag("nographic") ? undefined : optional("display", "type")),
    accel: acceleratorOptions(merged(given, "accel", "accel"), ofMachine),
    cpu: optional("cpu", "") ?? {},
    cpus,
    board: {
      topology: arranged,
      ...boot,
      ...tableOptions(given),
      ...(flag("nodefaults") ? { noDefaults: true } : {}),
      ...(flag("nographic") ? { nographic: true } : {}),
      ...(flag("no-fd-bootchk") ? { anyFloppy: true } : {}),
      ...(vga === undefined ? {} : { vga }),
    },
    vga,
    dataPaths: all(given, "L"),
    ram: memory(given, ofBackend),
    drives: drives(given),
    blockdevs: all(given, "blockdev").map((text) => nest(keyValues("blockdev", text, "driver"))),
    devices: [
      ...all(given, "device").map((text) => keyValues("device", text, "driver")),
      ...virtfs(given).map((v) => v.device),
      ...console.devices,
    ],
    objects,
    globals: [...rtcGlobals(optional("rtc") ?? {}), ...all(given, "global").map(globalDefault)],
    fsdevs: [
      ...all(given, "fsdev").map((text) => keyValues("fsdev", text, "fsdriver")),
      ...virtfs(given).map((v) => v.fsdev),
    ],
    chardevs: [...all(given, "chardev").map(chardev), ...console.chardevs],
    ...consoles,
    qtest: optionalTarget("qtest", last(given, "qtest")),
    boot: {
      bios: last(given, "bios"),
      kernel: last(given, "kernel"),
      initrd: last(given, "initrd"),
      append: last(given, "append"),
      dtb: last(given, "dtb"),
    },
    nodefaults: flag("nodefaults"),
    snapshot: flag("snapshot"),
    paused: flag("S"),
    actions,
    rtc: optional("rtc") ?? {},
    icount: last(given, "icount") === "off" ? undefined : optional("icount", "shift"),
    seed: wholeNumber("seed ", last(given, "seed")),
    log: { items: all(given, "d").join(","), file: last(given, "D"), filter: last(given, "dfilter") },
    singlestep: flag("singlestep"),
    pidfile: last(given, "pidfile"),
    name: guestName(last(given, "name")),
    uuid: uuid === undefined ? undefined : parseUuid(uuid),
    bootMenu,
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

/** `-debugcon DEV`: a character device behind port E9h. */
function debugConsole(given: readonly GivenOption[]): Pick<MachineConfig, "chardevs" | "devices"> {
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

/** `ofBackend`: size of the object that is the memory. */
function memory(given: readonly GivenOption[], ofBackend: string | undefined): number | undefined {
  const text = last(given, "m");
  const backend = ofBackend === undefined ? undefined : bytes("object memory-backend-ram,size=", ofBackend, "b");
  if (text === undefined) return backend;
  const options = keyValues("m", text, "size");
  const size = options["size"];
  if (typeof size !== "string") throw new UsageError(`-m ${text}: expected a size such as 512M or 2G`);
  const ram = bytes("m", size, "m");
  if (ram < 1) throw new UsageError(`-m ${text}: a machine needs memory`);
  if (backend !== undefined && backend !== ram)
    throw new UsageError(`-m ${text}: the memory of memory-backend= has ${backend} bytes`);
  onlyParameters("m", options, ["size", "slots", "maxmem"]);
  const slots = wholeNumber("m slots=", options["slots"]) ?? 0;
  const { maxmem } = options;
  if (maxmem === undefined && slots > 0) throw new UsageError(`-m ${text}: slots=${slots} needs maxmem=SIZE`);
  if (slots > 256) throw new UsageError(`-m ${text}: slots=${slots} are more than 256`);
  if (maxmem !== undefined && bytes("m", String(maxmem), "b") < ram)
    throw new UsageError(`-m ${text}: maxmem=${String(maxmem)} is less than the ${ram} bytes of memory`);
  return ram;
}

/** Disks by their short options; without `if` they are on the board's own kind of bus. */
const DISKS: Readonly<Record<string, KeyValues>> = {
  hda: { index: "0", media: "disk" },
  hdb: { index: "1", media: "disk" },
  hdc: { index: "2", media: "disk" },
  hdd: { index: "3", media: "disk" },
  cdrom: { index: "2", media: "cdrom" },
  fda: { if: "floppy", index: "0" },
  fdb: { if: "floppy", index: "1" },
};

function drives(given: readonly GivenOption[]): KeyValues[] {
  return given.flatMap(({ name, value }) => {
    if (name === "drive") return [keyValues("drive", value)];
    const disk = DISKS[name];
    if (disk !== undefined) return [{ file: value, ...disk }];
    return name === "pflash" ? [{ file: value, if: "pflash", format: "raw" }] : [];
  });
}

function virtfs(given: readonly GivenOption[]): { fsdev: KeyValues; device: KeyValues }[] {
  return all(given, "virtfs").map((text, index) => {
    const { mount_tag, id, ...rest } = keyValues("virtfs", text, "fsdriver");
    if (typeof mount_tag !== "string") throw new UsageError(`-virtfs ${text}: needs mount_tag=TAG`);
    const name = typeof id === "string" ? id : `virtfs${index}`;
    return { fsdev: { ...rest, id: name }, device: { driver: "virtio-9p", fsdev: name, mount_tag } };
  });
}

function globalDefault(text: string): GlobalDefault {
  const match = /^([^.=]+)\.([^=]+)=(.*)$/.exec(text);
  if (match !== null) return { driver: match[1] ?? "", property: match[2] ?? "", value: match[3] ?? "" };
  const options = keyValues("global", text);
  const { driver, property, value } = options;
  if (typeof driver === "string" && typeof property === "string" && typeof value === "string")
    return { driver, property, value };
  throw new UsageError(`-global ${text}: expected DRIVER.PROPERTY=VALUE`);
}

function chardev(text: string): { id: string; config: CharConfig } {
  const { backend, ...options } = keyValues("chardev", text, "backend", ["wait", "delay"]);
  if (typeof backend !== "string")
    throw new UsageError(`-chardev ${text}: expected a back end first ('-chardev help')`);
  const config = userError(() => charConfig(backend, options));
  if (config.id === undefined) throw new UsageError(`-chardev ${text}: needs id=ID`);
  return { id: config.id, config };
}

/** Serial ports and monitors; `-nographic` puts both on the terminal unless they are given. */
function consoleTargets(
  given: readonly GivenOption[],
  nographic: boolean,
): Pick<MachineConfig, "serials" | "parallels" | "monitors" | "qmps"> {
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

function optionalTarget(option: string, text: string | undefined): CharTarget | undefined {
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
