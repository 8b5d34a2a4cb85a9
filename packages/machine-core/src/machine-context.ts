import type { Registry, Tree } from "@mimus/qom";
import type { AddressSpace } from "./address-space.ts";
import type { Bus } from "./bus.ts";
import type { ClockSet } from "./clock.ts";
import type { CpuObject, Device } from "./device.ts";
import type { Log } from "./log.ts";
import type { MachineMemory } from "./memory.ts";

/** Why the machine is to be reset. */
export type ResetReason = "guest" | "host";
/** Why the machine is to end. */
export type ShutdownReason = "guest-shutdown" | "guest-panic" | "host-quit";
/** Why guest code is to stop until somebody lets it go on. */
export type StopReason = "watchdog" | "debug";
/** What ends a sleep: the clock's alarm, or anything else. */
export type WakeReason = "rtc" | "other";

/**
 * What a board may want to hear: buttons that are pressed, that the guest has begun to sleep, and, behind the reset that ends it, that it
 * wakes.
 */
export type BoardEvent = "powerdown-request" | "nmi-request" | "suspend" | "wakeup";

/** How `createDevice` places a device. */
export interface CreateOptions {
  /** The user's id, unique in the machine. */
  readonly id?: string;
  /** Its name in the tree when it has no id: for parts that a device makes of itself. */
  readonly name?: string;
  /** A bus or its name; without it, the first one of the right type that has room. */
  readonly bus?: Bus | string;
  /** Where it goes in the tree; default `/machine/peripheral` with an id, `/machine/unattached` without. */
  readonly parentPath?: string;
  /** Realize it at once; when that fails it leaves the tree again. */
  readonly realize?: boolean;
}

/** The machine as its devices see it. */
export interface MachineContext {
  /** Types by name. */
  readonly registry: Registry;
  /** All objects by path. */
  readonly tree: Tree;
  /** Guest RAM and all else that generated code reaches. */
  readonly memory: MachineMemory;
  /** Memory as CPUs and DMA see it. */
  readonly system: AddressSpace;
  /** Port I/O, on machines that have it. */
  readonly io?: AddressSpace;
  /** Guest time and host time. */
  readonly clocks: ClockSet;
  /** Where guest errors and traces go. */
  readonly log: Log;
  /** Makes a device of a loaded type and checks its properties. @throws QomError, MachineError */
  createDevice(typeName: string, props: Readonly<Record<string, unknown>>, opts?: CreateOptions): Device;
  /** The back end of `kind` called `id`. */
  backend(kind: string, id: string): unknown;
  /** @throws MachineError duplicate-id */
  registerBackend(kind: string, id: string, object: unknown): void;
  /** Takes a back end away. */
  unregisterBackend(kind: string, id: string): void;
  /** Ids of the back ends of `kind`. */
  backendIds(kind: string): string[];
  /** Every bus of every realized device. */
  buses(): Bus[];
  /** The bus called `name`. */
  findBus(name: string): Bus | undefined;
  /** The device with the user's id, or at the path. */
  findDevice(idOrPath: string): Device | undefined;
  /** Resets the machine between two slices of guest code. */
  requestReset(reason: ResetReason): void;
  /** Ends the machine between two slices of guest code; `code`: exit status. */
  requestShutdown(reason: ShutdownReason, code?: number): void;
  /** Guest code stops; the machine can be told to go on. */
  requestStop(reason: StopReason): void;
  /** The guest sleeps with its memory kept: processors stand still, devices and clocks do not. */
  requestSuspend(): void;
  /** The board is reset, memory kept, and says why: no effect unless the guest sleeps. */
  requestWakeup(reason: WakeReason): void;
  /** Someone wants the guest to close its programs and power off. */
  requestPowerdown(): void;
  /** Someone presses the board's NMI button. */
  requestNmi(): void;
  /** Fills with random bytes, which repeat with `-seed`. */
  random(bytes: Uint8Array): void;
  /** In order of their indices. */
  readonly cpus: readonly CpuObject[];
}

/** Processors by what they are parts of; `maxCpus` is the product or more. */
export interface CpuTopology {
  readonly sockets: number;
  readonly dies: number;
  readonly cores: number;
  readonly threads: number;
  readonly maxCpus: number;
}

/** One network card that the board is to place. */
export interface NicRequest {
  /** Device type or short name; the board's choice when absent. */
  readonly model?: string;
  readonly props: Readonly<Record<string, unknown>>;
}

/** Firmware that devices bring along, by file name: `"vgabios-stdvga.bin"`. The back end of kind `"firmware"` called `"files"`. */
export interface FirmwareFiles {
  /** The file's bytes; undefined: there is none of that name. */
  read(name: string): Uint8Array | undefined;
}

/** What the user asked the board for. */
export interface MachineOptions {
  /** Bytes. */
  readonly ramSize: number;
  /** How many there are at the start, 1 or more. */
  readonly cpus: number;
  /** QOM name of the CPU type. */
  readonly cpuType: string;
  /** Properties of each CPU, as given. */
  readonly cpuProps: Readonly<Record<string, unknown>>;
  /** What `-kernel` named. */
  readonly kernel?: Uint8Array;
  /** What `-initrd` named. */
  readonly initrd?: Uint8Array;
  /** The kernel's command line. */
  readonly append?: string;
  /** Firmware; `"none"`: the user wants none. */
  readonly bios?: Uint8Array | "none";
  /** A device tree in place of the board's own. */
  readonly dtb?: Uint8Array;
  /** Identity of the machine, 16 bytes. */
  readonly uuid?: Uint8Array;
  /** Firmware that has a boot menu shows it. */
  readonly bootMenu?: boolean;
  /** Back ends of the serial ports (chardev's `CharBackend`), in order. */
  readonly serials: readonly unknown[];
  /** Back ends of the parallel ports, in order. */
  readonly parallels?: readonly unknown[];
  /** How the CPUs are arranged: numbers of each, and the most CPUs that there may be. One socket of `cpus` cores when absent. */
  readonly topology?: CpuTopology;
  /** Devices that only a user would miss (graphics, network, drives) are left out. */
  readonly noDefaults?: boolean;
  /** Graphics card: `"std"`, `"none"`, … The board's choice when absent. */
  readonly vga?: string;
  /** Network cards in the order of the command line: device type or short name, and properties. */
  readonly nics?: readonly NicRequest[];
  /** Drive letters in the order of booting (`-boot order=`), and for the first start alone. */
  readonly bootOrder?: string;
  readonly bootOnce?: string;
  /** Milliseconds that a boot menu or splash picture stays, and before a failed boot starts again. */
  readonly bootSplashTime?: number;
  readonly rebootTimeout?: number;
  /** Boot from nothing but what has a bootindex. */
  readonly bootStrict?: boolean;
  /** Floppies need no signature to boot from. */
  readonly anyFloppy?: boolean;
  /** No graphical console: firmware is told so. */
  readonly nographic?: boolean;
  /** `-smbios`: options of each, as given. */
  readonly smbios?: readonly Readonly<Record<string, string | Uint8Array>>[];
  /** `-acpitable`: whole tables. */
  readonly acpiTables?: readonly Uint8Array[];
  /** `-fw_cfg`: files for firmware and guest. */
  readonly configFiles?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Where the firmware came from, for messages. */
  readonly firmwarePath?: string;
}

/** The machine while its board is wired. */
export interface MachineBuilder extends MachineContext {
  readonly options: MachineOptions;
  /** Makes and realizes CPU number `index` of a type named by the user or the board. */
  createCpu(typeName: string, props: Readonly<Record<string, unknown>>, index: number): CpuObject;
  /** Calls `listener` when the program around the machine tells of a {@link BoardEvent}. */
  on(event: BoardEvent, listener: (reason: WakeReason) => void): unknown;
}
