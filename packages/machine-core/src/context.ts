import type { InstanceProperty } from "@mimus/qom";
import type { AddressSpace } from "./address-space.ts";
import type { Bus } from "./bus.ts";
import type { IrqLine } from "./irq.ts";
import type { MachineContext } from "./machine-context.ts";
import type { PortOptions, Registers } from "./port.ts";
import type { MemoryRegion } from "./region.ts";
import type { Stateful } from "./state.ts";
import type { ClockName, Timer } from "./timer.ts";

/** Enter: state to its start. Hold: outputs settle. Exit: work begins. Each phase runs over all devices before the next. */
export type ResetPhase = "enter" | "hold" | "exit";

/** What a device may ask of the machine around it while it is realized and after. */
export interface DeviceContext {
  /** The user's id, or empty. */
  readonly id: string;
  /** Its path in the composition tree. */
  readonly path: string;
  /** The machine that it is in. */
  readonly machine: MachineContext;
  /** The bus that it plugs into; undefined for none. */
  readonly parentBus: Bus | undefined;
  /** Where its DMA goes. */
  readonly dma: AddressSpace;
  /** Declares an output line. */
  irq(name: string): IrqLine;
  /** Declares `count` output lines of one name. */
  irqs(name: string, count: number): IrqLine[];
  /** Declares `count` input lines of one name. */
  input(name: string, count: number, handler: (n: number, level: boolean) => void): void;
  /** Declares registers as the next region; `size` is the chip's bytes, the region takes `size << shift`. */
  region(name: string, regs: Registers, opts: PortOptions & { readonly size: number }): MemoryRegion;
  /** Declares any region (ROM, RAM, a container) as the next one. */
  addRegion(region: MemoryRegion): void;
  /** Registers a part whose reset, save and load the device's derive from. */
  stateful(part: Stateful, name?: string): void;
  /** A timer on the virtual clock or the named one; cancelled when the device goes. */
  timer(callback: () => void, clock?: ClockName): Timer;
  /** Nanoseconds on the virtual clock or the named one. */
  now(clock?: ClockName): number;
  /** The back end of `kind` called `value`; undefined for undefined. @throws MachineError no-backend */
  link<T>(value: string | undefined, kind: string): T | undefined;
  /** Makes a bus that other devices plug into. */
  bus(name: string, type: string, impl: unknown): Bus;
  /** Adds a property that monitors can read, and set when it has `set` (a sensor's temperature, a display's text). */
  property(name: string, property: InstanceProperty): void;
  /** Says what the device chose where its user left the choice to it, so that monitors show that. */
  decided(values: Readonly<Record<string, unknown>>): void;
  /** The guest did what the hardware forbids: counted, and told when the log wants it. */
  guestError(message: string): void;
  /** The guest used what is not modelled. */
  unimplemented(message: string): void;
  /** A line of the trace log, when somebody listens; `event` is its name. */
  trace(event: string, ...args: unknown[]): void;
  /** Runs in a phase of each reset, after what `stateful` parts do by themselves. */
  onReset(phase: ResetPhase, fn: () => void): void;
  /** Runs after a snapshot was loaded into every device. */
  onLoaded(fn: () => void): void;
  /** Runs when the device goes; timers, lines, regions and buses of the context go by themselves. */
  onUnrealize(fn: () => void): void;
  /** Fills with random bytes of the machine, which repeat with `-seed`. */
  random(bytes: Uint8Array): void;
}
