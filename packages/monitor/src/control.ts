import type { Deflate, DisplayConsole, InputRouter } from "@mimus/display";
import type { AddressSpace } from "@mimus/machine-core";
import type { QomObject } from "@mimus/qom";

import type { BlockControl } from "./block/context.ts";

/** One processor, as the monitor shows it. */
export interface CpuInfo {
  /** Number of the CPU. */
  readonly index: number;
  /** It waits for an interrupt. */
  readonly halted: boolean;
  /** Hexadecimal, without prefix. */
  readonly pc: string;
  /** Several lines: every register by name. */
  registers(): string;
  /** A register's value by its name in expressions: `pc`, `eax`, `cs.base`. */
  register?(name: string): bigint | undefined;
  /** Physical address of a linear one; undefined: not mapped. */
  translate?(address: bigint): bigint | undefined;
  /** Fills `into` from linear addresses; false: a part of it is not mapped. */
  read?(address: bigint, into: Uint8Array): boolean;
  /** The instruction at the start of `bytes`, as the processor would run it now. */
  disassemble?(address: bigint, bytes: Uint8Array): { text: string; length: number };
}

/** What the monitor asks of a machine; `system` implements it. */
export interface MachineControl {
  /** What `info version` prints. */
  readonly version: string;
  /** What the user called the machine; empty for none. */
  readonly name: string;
  readonly uuid: string;
  /** QMP's RunState. */
  status():
    | "running"
    | "suspended"
    | "paused"
    | "io-error"
    | "prelaunch"
    | "shutdown"
    | "watchdog"
    | "debug"
    | "guest-panicked";
  /** Ends the process. */
  quit(): void;
  /** Stops guest code. */
  stop(): void;
  /** Lets guest code go on. */
  cont(): void;
  /** Resets the machine. */
  reset(): void;
  /** Presses the power button. */
  powerdown(): void;
  /** Presses the NMI button. */
  nmi(): void;
  /** Ends the guest's sleep; false: it does not sleep. */
  wakeup(): boolean;
  /** What a watchdog does that runs out; false: there is no such action. */
  setWatchdogAction(action: string): boolean;
  /** The composition tree. */
  readonly root: QomObject;
  /** Memory as devices see it. */
  readonly memory: AddressSpace;
  /** All CPUs, by index. */
  cpus(): readonly CpuInfo[];
  /** `id: description` of each character device. */
  chardevs(): readonly { id: string; description: string }[];
  /** One line a drive. */
  blocks(): readonly string[];
  /** Its disks, for the commands about them; absent = there are none of these commands. */
  readonly block?: BlockControl;
  /** The translator's counters as text; empty for a machine without processors. */
  jit(): string;
  /** Keyboard and pointer. */
  readonly input: InputRouter;
  /** The machine's screens. */
  readonly screens: readonly DisplayConsole[];
  /** Its address spaces: memory, then ports when there are any. */
  readonly spaces: readonly AddressSpace[];
  /** What its parts tell about `topic` ("pic", "pci", "tlb"): those that have an `inspect` method of that name. */
  inspect(topic: string): readonly string[];
  /** Writes a file of the host. @throws Error */
  saveFile(path: string, bytes: Uint8Array): void;
  /** Compresses a picture. */
  readonly deflate?: Deflate;
  /** Runs `act` where the machine takes what comes from outside. */
  post(act: () => void): void;
  /** Runs `act` after so many milliseconds of the host. */
  later(milliseconds: number, act: () => void): void;
  /** Switches log items; empty switches all off. @throws Error for an unknown item. */
  log(items: string): void;
}
