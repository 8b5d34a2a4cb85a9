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

/** How `createDevice` places a device. */
export interface CreateOptions {
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
  readonly registry: Registry;
  readonly tree: Tree;
  readonly memory: MachineMemory;
  readonly system: AddressSpace;
  /** Port I/O, on machines that have it. */
  readonly io?: AddressSpace;
  readonly clocks: ClockSet;
  readonly log: Log;
  /** Makes a device of a loaded type and checks its properties. @throws QomError, MachineError */
  createDevice(typeName: string, props: Readonly<Record<string, unknown>>, opts?: CreateOptions): Device;
  /** The back end of `kind` called `id`. */
  backend(kind: string, id: string): unknown;
  /** @throws MachineError duplicate-id */
  registerBackend(kind: string, id: string, object: unknown): void;
  unregisterBackend(kind: string, id: string): void;
  /** Ids of the back ends of `kind`. */
  backendIds(kind: string): string[];
  /** Every bus of every realized device. */
  buses(): Bus[];
  /** The bus called `name`. */
  findBus(name: string): Bus | undefined;
  /** The device with the user's id, or at the path. */
  findDevice(idOrPath: string): Device | undefined;
  requestReset(reason: ResetReason): void;
  requestShutdown(reason: ShutdownReason, code?: number): void;
  random(bytes: Uint8Array): void;
  readonly cpus: readonly CpuObject[];
}

/** What the user asked the board for. */
export interface MachineOptions {
  /** Bytes. */
  readonly ramSize: number;
  readonly cpus: number;
  readonly cpuType: string;
  readonly cpuProps: Readonly<Record<string, unknown>>;
  readonly kernel?: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly append?: string;
  readonly bios?: Uint8Array | "none";
  readonly dtb?: Uint8Array;
  /** Identity of the machine, 16 bytes. */
  readonly uuid?: Uint8Array;
  /** Firmware that has a boot menu shows it. */
  readonly bootMenu?: boolean;
  /** Back ends of the serial ports (chardev's `CharBackend`), in order. */
  readonly serials: readonly unknown[];
  /** Where the firmware came from, for messages. */
  readonly firmwarePath?: string;
}

/** The machine while its board is wired. */
export interface MachineBuilder extends MachineContext {
  readonly options: MachineOptions;
  /** Makes and realizes CPU number `index` of a type named by the user or the board. */
  createCpu(typeName: string, props: Readonly<Record<string, unknown>>, index: number): CpuObject;
}
