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
  /** Name of a device type. */
  readonly driver: string;
  readonly id?: string;
  /** Name of the bus it plugs into; the first with room when absent. */
  readonly bus?: string;
  /** As given: text is converted. */
  readonly props?: Readonly<Record<string, unknown>>;
}

/** What `-kernel` and its like gave, as bytes. */
export interface BootFiles {
  /** What `-kernel` named. */
  readonly kernel?: Uint8Array;
  /** What `-initrd` named. */
  readonly initrd?: Uint8Array;
  /** The kernel's command line. */
  readonly append?: string;
  /** A device tree in place of the board's own. */
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
  /** Types by name: all that the machine is made of. */
  readonly registry: Registry;
  /** The outside world. */
  readonly host: SystemHost;
  /** `"riscv64"`. */
  readonly target: string;
  /** Machine type or alias; the registry's default one for the target when absent. */
  readonly machine?: string;
  /** Options of the machine type. */
  readonly machineProps?: Readonly<Record<string, unknown>>;
  /** `"rv64,zba=off"`: model and properties. */
  readonly cpu?: string;
  /** Number of CPUs; default 1. */
  readonly smp?: number;
  /** Bytes. */
  readonly ram?: number;
  /** Back ends of the serial ports in order; undefined: the port has none. */
  readonly serials?: readonly (CharBackend | undefined)[];
  /** Back ends of the parallel ports in order. */
  readonly parallels?: readonly (CharBackend | undefined)[];
  /** Reads firmware that devices bring along (option ROMs), by file name. */
  readonly firmwareFiles?: FirmwareFiles;
  /** What else the board is told. */
  readonly board?: BoardOptions;
  /** Character devices by id, for properties such as `chardev=`. */
  readonly chardevs?: Iterable<readonly [id: string, backend: CharBackend]>;
  /** Opened drives: those of an interface are plugged in by the board, others by `drive=`. */
  readonly drives?: readonly Drive[];
  /** Other back ends: [kind, id, object]. */
  readonly backends?: Iterable<readonly [kind: string, id: string, object: unknown]>;
  /** Made after the board, in order. */
  readonly devices?: readonly DeviceRequest[];
  /** Defaults of device properties (`-global`). */
  readonly globals?: readonly GlobalProperty[];
  /** User-created objects (`-object`): `qom-type`, `id` and properties. */
  readonly objects?: readonly Readonly<Record<string, unknown>>[];
  /** What runs the guest; default `"tcg"`. */
  readonly accel?: "tcg" | "qtest";
  /** How the translator works. */
  readonly tcg?: TcgOptions;
  /** Each vCPU has a thread. Default: they take turns on one. */
  readonly threads?: boolean;
  /** How time is divided. */
  readonly loop?: LoopOptions;
  /** What to do at reset, shutdown and panic. */
  readonly policies?: Policies;
  /** Kinds of records that `host.log` is given. */
  readonly logLevels?: Iterable<LogLevel>;
}
