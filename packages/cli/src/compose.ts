import { existsSync } from "node:fs";

import { nodeClock, nodeFiles, nodeThreads } from "@mimus/host-node";
import type { Registry, ResolvedType } from "@mimus/qom";
import { assemble, type AssembleOptions, type DeviceRequest, type System } from "@mimus/system";

import { accelerator } from "./accelerator.ts";
import type { KeyValues } from "./args/keyval.ts";
import { icount, rtcOffset } from "./clock-options.ts";
import type { MachineConfig } from "./config.ts";
import type { Consoles } from "./consoles.ts";
import { type Drives, isDiskObject } from "./drives.ts";
import { UsageError } from "./errors.ts";
import { firmware, firmwareFiles } from "./firmware.ts";
import type { Logging } from "./logging.ts";
import { openShare } from "./shares.ts";

/** What has been opened for a machine. */
export interface Opened {
  readonly registry: Registry;
  readonly machine: ResolvedType;
  readonly consoles: Consoles;
  readonly drives: Drives;
  readonly logging: Logging;
  /** The address of a plugin package's entry. */
  readonly locate: (name: string) => string;
}

/** Assembles the machine of a configuration. @throws UsageError and the errors of the parts */
export async function compose(config: MachineConfig, target: string, opened: Opened): Promise<System> {
  const { registry, machine, consoles, drives, logging } = opened;
  const { type: _type, dumpdtb: _dumpdtb, ...machineProps } = config.machine;
  const accel = accelerator(config.accel, config.qtest !== undefined);
  const clock = nodeClock({
    wallOffset: rtcOffset(config.rtc),
    ...(config.seed === undefined ? {} : { seed: config.seed }),
  });
  return assemble({
    registry,
    host: {
      ...clock,
      log: (record) => logging.record(record),
      threads: nodeThreads(opened.locate),
    },
    threads: accel.threads,
    target,
    machine: machine.name,
    machineProps,
    ...(Object.keys(config.cpu).length === 0 ? {} : { cpu: cpuText(config.cpu) }),
    smp: config.cpus,
    ...(config.ram === undefined ? {} : { ram: config.ram }),
    serials: consoles.serials,
    parallels: consoles.parallels,
    firmwareFiles: firmwareFiles(config.dataPaths),
    board: config.board,
    chardevs: consoles.chardevs,
    drives: drives.drives,
    backends: [
      ["watchdog", "action", config.actions.watchdog],
      ...nodeBackends(config, drives),
      ...config.fsdevs.map(openShare).map(backendOf("fsdev")),
    ],
    globals: config.globals,
    devices: config.devices.map(deviceRequest),
    objects: config.objects.filter((object) => !isDiskObject(object["qom-type"])),
    accel: accel.name,
    tcg: {
      ...accel.tcg,
      now: () => performance.now(),
      ...(logging.trace === undefined ? {} : { trace: logging.trace }),
      ...(config.singlestep ? { maxInsns: 1 } : {}),
    },
    ...(config.icount === undefined ? {} : { loop: { icount: icount(config.icount) } }),
    policies: config.actions.policies,
    logLevels: logging.levels,
    ...(await bootImages(config.boot, registry, target)),
    bios: accel.name === "qtest" ? "none" : await firmware(config.boot.bios, machine, target, config.dataPaths),
    ...(config.uuid === undefined ? {} : { uuid: config.uuid }),
    ...(config.bootMenu === undefined ? {} : { bootMenu: config.bootMenu }),
  });
}

/** What the machine boots, read. */
async function bootImages(
  boot: MachineConfig["boot"],
  registry: Registry,
  target: string,
): Promise<Pick<AssembleOptions, "kernel" | "initrd" | "dtb" | "append">> {
  const read = async (option: "kernel" | "initrd" | "dtb"): Promise<Partial<Record<typeof option, Uint8Array>>> => {
    const path = boot[option];
    if (path === undefined) return {};
    try {
      return { [option]: await nodeFiles.read(path) };
    } catch (error) {
      throw new UsageError(`-${option}: ${(error as Error).message}`);
    }
  };
  const guest = await embeddedGuest(registry, boot, target);
  return {
    ...(guest === undefined ? await read("kernel") : { kernel: guest }),
    ...(await read("initrd")),
    ...(await read("dtb")),
    ...(boot.append === undefined ? {} : { append: boot.append }),
  };
}

/** The guest program that a package has under the name given with `-kernel`, when there is no file of that name. */
async function embeddedGuest(
  registry: Registry,
  { kernel, bios }: MachineConfig["boot"],
  target: string,
): Promise<Uint8Array | undefined> {
  if (kernel === undefined || existsSync(kernel)) return undefined;
  if (!registry.known("guest").some(({ name }) => name === kernel)) return undefined;
  const type = await registry.ensure(kernel, "guest");
  const image = (type.class["image"] as (target: string) => Uint8Array | undefined)(target);
  if (image === undefined) throw new UsageError(`-kernel ${kernel}: this guest is not for ${target}`);
  if (bios !== "none") throw new UsageError(`-kernel ${kernel}: this guest runs without firmware: add -bios none`);
  return image;
}

const backendOf =
  (kind: string) =>
  ([id, object]: readonly [id: string, object: unknown]): [kind: string, id: string, object: unknown] => [
    kind,
    id,
    object,
  ];

/** Nodes of `-blockdev` by name: a device's `drive=` takes them like drives. */
function nodeBackends({ blockdevs }: MachineConfig, { graph }: Drives): [kind: string, id: string, backend: unknown][] {
  return blockdevs.flatMap((options) => {
    const name = options["node-name"];
    return typeof name === "string" ? [["drive", name, graph.backend(name)] as [string, string, unknown]] : [];
  });
}

function deviceRequest(options: KeyValues): DeviceRequest {
  const { driver, id, bus, ...props } = options;
  if (typeof driver !== "string" || driver === "")
    throw new UsageError("-device: needs a driver ('-device help' lists them)");
  if (id !== undefined && typeof id !== "string") throw new UsageError(`-device ${driver}: id must be a name`);
  return { driver, props, ...(id === undefined ? {} : { id }), ...(typeof bus === "string" ? { bus } : {}) };
}

/** The text form that CPU models take, from the options of `-cpu`. */
function cpuText({ "": model, ...props }: KeyValues): string {
  if (typeof model !== "string" || model === "")
    throw new UsageError("-cpu: needs a model before its properties ('-cpu help' lists them)");
  return [
    model,
    ...Object.entries(props).map(([name, value]) => (/^[+-]/.test(name) ? name : `${name}=${String(value)}`)),
  ].join(",");
}
