import { QomError, QomObject, type ResolvedType } from "@mimus/qom";
import { type Bus, hooksOf } from "./bus.ts";
import type { DeviceContext, ResetPhase } from "./context.ts";
import type { DeviceHooks } from "./define-device.ts";
import { Context } from "./device-context.ts";
import { MachineError, messageOf } from "./errors.ts";
import type { IrqLine, IrqSink } from "./irq.ts";
import type { MachineContext } from "./machine-context.ts";
import { Guard } from "./port.ts";
import type { MemoryRegion } from "./region.ts";
import type { Stateful } from "./state.ts";

/** Input lines of one name. */
export interface InputLines {
  readonly count: number;
  /** Called when the level of line `n` changes. */
  readonly handler: (n: number, level: boolean) => void;
}

/** A device in the tree: created with checked properties, then realized into a working chip. */
export class Device extends QomObject {
  readonly machine: MachineContext;
  /** The user's id, or empty. */
  readonly id: string;
  readonly parentBus: Bus | undefined;
  /** What the type's `realize` returned. */
  impl: unknown;
  /** Regions in the order of their declaration. */
  readonly regions: MemoryRegion[] = [];
  readonly buses: Bus[] = [];
  readonly outputs: Map<string, IrqLine[]> = new Map();
  readonly inputs: Map<string, InputLines> = new Map();
  readonly parts: Map<string, Stateful> = new Map();
  readonly resetHooks: Readonly<Record<ResetPhase, (() => void)[]>> = { enter: [], hold: [], exit: [] };
  readonly loadedHooks: (() => void)[] = [];
  readonly undo: (() => void)[] = [];
  /** Shared by its regions: its own DMA cannot enter it again. */
  readonly guard: Guard = new Guard();
  #realized = false;
  #context: Context | undefined;

  /** `props` are already parsed. Use `machine.createDevice`. */
  constructor(
    type: ResolvedType,
    machine: MachineContext,
    props: Readonly<Record<string, unknown>>,
    place: { id?: string; bus?: Bus } = {},
  ) {
    super(type, props);
    this.machine = machine;
    this.id = place.id ?? "";
    this.parentBus = place.bus;
    this.guard.onDrop = (region, offset, size, write) =>
      this.machine.log.write(
        "guest-error",
        this.path,
        `${write ? "write" : "read"} of ${size} bytes at ${region}+0x${offset.toString(16)} dropped: the device is busy with an access`,
      );
  }

  get realized(): boolean {
    return this.#realized;
  }

  /** What its own code sees of the machine. */
  get context(): DeviceContext {
    return (this.#context ??= new Context(this));
  }

  protected override canSet(_name: string): boolean {
    return !this.#realized;
  }

  /** How people name it in messages. */
  get label(): string {
    return this.id === "" ? this.type.name : `${this.type.name} '${this.id}'`;
  }

  /** Output line `n` of `name`. @throws MachineError bad-irq, listing the lines */
  irqOut(name: string, n = 0): IrqLine {
    const line = this.outputs.get(name)?.[n];
    if (line !== undefined) return line;
    const lines = [...this.outputs].map(([k, v]) => (v.length === 1 ? k : `${k}[0..${v.length - 1}]`));
    throw new MachineError(
      "bad-irq",
      `${this.label} has no output '${name}[${n}]'; it has: ${lines.join(", ") || "none"}`,
      {
        at: this.path,
      },
    );
  }

  /** The sink of input line `n` of `name`. @throws MachineError bad-irq, listing the lines */
  irqIn(name: string, n = 0): IrqSink {
    const lines = this.inputs.get(name);
    if (lines !== undefined && n >= 0 && n < lines.count) return (level) => lines.handler(n, level);
    const has = [...this.inputs].map(([k, v]) => `${k}[0..${v.count - 1}]`);
    throw new MachineError(
      "bad-irq",
      `${this.label} has no input '${name}[${n}]'; it has: ${has.join(", ") || "none"}`,
      {
        at: this.path,
      },
    );
  }

  /**
   * Builds the chip: takes a place on the bus, runs the type's `realize`.
   * @throws MachineError realize-failed, or what the type or the bus threw; nothing of it stays then
   */
  realize(): void {
    if (this.#realized) return;
    const hooks = this.type.class["device"] as DeviceHooks | undefined;
    const bus = hooksOf(this.parentBus);
    try {
      bus.plug?.(this, this.values);
      this.parentBus?.children.push(this);
      if (hooks !== undefined) this.impl = hooks.realize(this.values as never, this.context);
      bus.realized?.(this, this.values);
      this.#realized = true;
    } catch (cause) {
      this.#tearDown();
      if (cause instanceof MachineError || cause instanceof QomError) throw cause;
      throw new MachineError("realize-failed", `${this.label}: ${messageOf(cause)}`, { at: this.path, cause });
    }
    this.emit("realized");
  }

  /** Takes the chip apart again: children on its buses first, then its own hooks, timers, lines and regions. */
  unrealize(): void {
    if (!this.#realized) return;
    for (const bus of this.buses) for (const child of bus.children.toReversed()) child.unrealize();
    const hooks = this.type.class["device"] as DeviceHooks | undefined;
    hooks?.unrealize?.(this.impl as never, this.context);
    this.#tearDown();
    this.emit("unrealized");
  }

  #tearDown(): void {
    this.#realized = false;
    for (const fn of this.undo.splice(0).toReversed()) fn();
    for (const lines of this.outputs.values()) for (const line of lines) line.disconnect();
    for (const region of this.regions.splice(0)) region.parent?.remove(region);
    const siblings = this.parentBus?.children;
    const place = siblings?.indexOf(this) ?? -1;
    if (place >= 0) siblings!.splice(place, 1);
    if (this.parentBus !== undefined) hooksOf(this.parentBus).unplug?.(this);
    for (const list of [this.outputs, this.inputs, this.parts]) list.clear();
    for (const list of [this.buses, this.loadedHooks, ...Object.values(this.resetHooks)]) list.length = 0;
    this.impl = undefined;
    this.#context = undefined;
  }

  /** One phase of a reset of this device alone. */
  resetPhase(phase: ResetPhase): void {
    if (!this.#realized) return;
    if (phase === "enter") for (const part of this.parts.values()) part.reset();
    for (const fn of this.resetHooks[phase]) fn();
  }

  /** All three phases for this device and what hangs on its buses. */
  reset(): void {
    const all: Device[] = [];
    const collect = (device: Device): void => {
      for (const bus of device.buses) for (const child of bus.children) collect(child);
      all.push(device);
    };
    collect(this);
    for (const phase of ["enter", "hold", "exit"] as const) for (const device of all) device.resetPhase(phase);
  }

  /** The state of its parts by name. */
  saveParts(): Record<string, unknown> {
    return Object.fromEntries([...this.parts].map(([name, part]) => [name, part.save()]));
  }
}

/** What makes a device a CPU. */
export interface CpuWiring {
  /** The engine's CPU (tcg's `TargetCpu`). */
  readonly cpu: unknown;
  setIrq(line: number, level: boolean): void;
}

/** A CPU in the tree. */
export class CpuObject extends Device {
  readonly index: number;
  readonly #wiring: CpuWiring;

  /** `props` are already parsed. Use `machine.createCpu`. */
  constructor(
    type: ResolvedType,
    machine: MachineContext,
    props: Readonly<Record<string, unknown>>,
    index: number,
    wiring: CpuWiring,
  ) {
    super(type, machine, props);
    this.index = index;
    this.#wiring = wiring;
  }

  get cpu(): unknown {
    return this.#wiring.cpu;
  }

  /** Sets an interrupt input; `line` is the target's own number. */
  setIrq(line: number, level: boolean): void {
    this.#wiring.setIrq(line, level);
  }
}
