import type { Drive } from "@mimus/block";
import type { CharBackend } from "@mimus/chardev";
import type { FirmwareFiles, GlobalProperty, LogLevel, MachineOptions } from "@mimus/machine-core";
import type { Registry } from "@mimus/qom";
import type { TcgOptions } from "@mimus/tcg";
import type { SystemHost } from "./host.ts";
import type { LoopOptions } from "./run-loop.ts";
import type { Policies } from "./system.ts";

/** A `-device`: type, optional id and bus, and properties. */
export interface DeviceRequest {
  readonly driver: string;
  readonly id?: string;
  readonly bus?: string;
  readonly props?: Readonly<Record<string, unknown>>;
}

/** What `-kernel` and its like gave, as bytes. */
export interface BootFiles {
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly append?: string;
  readonly dtb?: Uint8Array;
  /** Identity of the machine, 16 bytes. */
  readonly uuid?: Uint8Array;
  /** Firmware that has a boot menu shows it. */
  readonly bootMenu?: boolean;
  /** `"none"`: no firmware. Absent: the same; the host reads the machine type's default firmware. */
  readonly bios?: Uint8Array | "none";
}

/** What else a board may ask the user's options for; see `MachineOptions`. */
export type BoardOptions = Pick<
  MachineOptions,
  | "topology"
  | "noDefaults"
  | "vga"
  | "nics"
  | "bootOrder"
  | "bootOnce"
  | "bootSplashTime"
  | "rebootTimeout"
  | "bootStrict"
  | "anyFloppy"
  | "nographic"
  | "smbios"
  | "acpiTables"
  | "configFiles"
>;

/** Everything a machine is assembled from. */
export interface AssembleOptions extends BootFiles {
  readonly registry: Registry;
  readonly host: SystemHost;
  /** `"riscv64"`. */
  readonly target: string;
  /** Machine type or alias; the registry's default one for the target when absent. */
  readonly machine?: string;
  readonly machineProps?: Readonly<Record<string, unknown>>;
  /** `"rv64,zba=off"`: model and properties. */
  readonly cpu?: string;
  readonly smp?: number;
  /** Bytes. */
  readonly ram?: number;
  readonly serials?: readonly (CharBackend | undefined)[];
  readonly parallels?: readonly (CharBackend | undefined)[];
  /** Reads firmware that devices bring along (option ROMs), by file name. */
  readonly firmwareFiles?: FirmwareFiles;
  readonly board?: BoardOptions;
  readonly chardevs?: Iterable<readonly [id: string, backend: CharBackend]>;
  readonly drives?: readonly Drive[];
  /** Other back ends: [kind, id, object]. */
  readonly backends?: Iterable<readonly [kind: string, id: string, object: unknown]>;
  readonly devices?: readonly DeviceRequest[];
  /** Defaults of device properties (`-global`). */
  readonly globals?: readonly GlobalProperty[];
  /** User-created objects (`-object`): `qom-type`, `id` and properties. */
  readonly objects?: readonly Readonly<Record<string, unknown>>[];
  readonly accel?: "tcg" | "qtest";
  readonly tcg?: TcgOptions;
  /** Each vCPU has a thread. Default: they take turns on one. */
  readonly threads?: boolean;
  readonly loop?: LoopOptions;
  readonly policies?: Policies;
  readonly logLevels?: Iterable<LogLevel>;
}
