/** What a board brings along unless the user says otherwise. */
import { shortForm } from "@mimus/chardev";
import type { Registry, ResolvedType } from "@mimus/qom";

import type { KeyValues } from "./args/keyval.ts";
import type { MachineConfig } from "./config.ts";
import { UsageError } from "./errors.ts";

/** Class data of machine types: default parts that users may leave out or replace. */
interface BoardDefaults {
  /** Serial and parallel ports that are there without back ends. */
  readonly defaultPorts?: { readonly serial: number; readonly parallel: number };
  /** Drives without a medium, and the device types that they need. */
  readonly defaultDrives?: readonly { readonly options: KeyValues; readonly device: string }[];
  /** Whether it takes graphics cards by `-vga`. */
  readonly takesVga?: boolean;
}

/** The configuration with the board's own parts. @throws UsageError for `-vga` where there is no place for a card */
export function withBoardDefaults(config: MachineConfig, machine: ResolvedType, registry: Registry): MachineConfig {
  const { defaultPorts, defaultDrives = [], takesVga } = machine.class as BoardDefaults;
  if (config.vga !== undefined && config.vga !== "none" && takesVga !== true)
    throw new UsageError(`-vga ${config.vga}: machine '${machine.name}' has no place for it; only '-vga none' works`);
  if (config.nodefaults) return config;
  const fill = (given: MachineConfig["serials"], count: number): MachineConfig["serials"] =>
    given.length > 0 ? given : Array.from({ length: count }, () => shortForm("null"));
  const installed = new Set(registry.known("device").map(({ name }) => name));
  const drives = defaultDrives.filter(
    ({ options, device }) =>
      installed.has(device) && !config.drives.some((drive) => samePlace(drive, options, machine)),
  );
  return {
    ...config,
    serials: fill(config.serials, defaultPorts?.serial ?? 0),
    parallels: fill(config.parallels, defaultPorts?.parallel ?? 0),
    drives: [...config.drives, ...drives.map(({ options }) => options)],
  };
}

/** Whether the user's drive is where a default one would be: any CD for a CD; a drive without a place takes the first one. */
function samePlace(drive: KeyValues, standard: KeyValues, machine: ResolvedType): boolean {
  const of = (options: KeyValues): unknown => options["if"] ?? machine.class["defaultInterface"];
  if (of(drive) !== of(standard)) return false;
  const index = drive["index"] ?? drive["unit"] ?? (drive["media"] === "cdrom" ? standard["index"] : "0");
  return index === standard["index"] || (standard["media"] === "cdrom" && drive["media"] === "cdrom");
}
