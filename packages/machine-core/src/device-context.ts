import type { InstanceProperty } from "@mimus/qom";
import type { AddressSpace } from "./address-space.ts";
import { type Bus, hooksOf } from "./bus.ts";
import type { DeviceContext, ResetPhase } from "./context.ts";
import type { Device } from "./device.ts";
import { MachineError } from "./errors.ts";
import { IrqLine } from "./irq.ts";
import type { MachineContext } from "./machine-context.ts";
import type { Guard, PortOptions, Registers } from "./port.ts";
import { MemoryRegion } from "./region.ts";
import type { Stateful } from "./state.ts";
import { type ClockName, Timer } from "./timer.ts";

/** The context of one device: everything declared through it is undone when the device goes. */
export class Context implements DeviceContext {
  readonly machine: MachineContext;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
    this.machine = device.machine;
  }

  get id(): string {
    return this.#device.id;
  }

  get path(): string {
    return this.#device.path;
  }

  get parentBus(): Bus | undefined {
    return this.#device.parentBus;
  }

  get dma(): AddressSpace {
    return hooksOf(this.#device.parentBus).dma ?? this.machine.system;
  }

  irq(name: string): IrqLine {
    return this.irqs(name, 1)[0]!;
  }

  irqs(name: string, count: number): IrqLine[] {
    const lines = Array.from({ length: count }, () => new IrqLine(name));
    const all = this.#device.outputs.get(name);
    if (all === undefined) this.#device.outputs.set(name, [...lines]);
    else all.push(...lines);
    return lines;
  }

  input(name: string, count: number, handler: (n: number, level: boolean) => void): void {
    if (this.#device.inputs.has(name))
      throw new MachineError("bad-irq", `${this.#device.label} declares input '${name}' twice`, { at: this.path });
    this.#device.inputs.set(name, { count, handler });
  }

  region(name: string, regs: Registers, opts: PortOptions & { readonly size: number }): MemoryRegion {
    const region = MemoryRegion.mmio({ ...opts, name, owner: this.path }, regs);
    this.addRegion(region);
    return region;
  }

  addRegion(region: MemoryRegion): void {
    guardAll(region, this.#device.guard);
    this.#device.regions.push(region);
  }

  stateful(part: Stateful, name?: string): void {
    const { parts } = this.#device;
    const key = name ?? (parts.size === 0 ? "chip" : `chip${parts.size}`);
    if (parts.has(key))
      throw new MachineError("bad-device", `${this.#device.label} has two stateful parts '${key}'; give them names`, {
        at: this.path,
      });
    parts.set(key, part);
  }

  timer(callback: () => void, clock: ClockName = "virtual"): Timer {
    const timer = new Timer(this.machine.clocks.get(clock), callback);
    this.onUnrealize(() => timer.cancel());
    return timer;
  }

  now(clock: ClockName = "virtual"): number {
    return this.machine.clocks.get(clock).now();
  }

  link<T>(value: string | undefined, kind: string): T | undefined {
    if (value === undefined || value === "") return undefined;
    const found = this.machine.backend(kind, value);
    if (found !== undefined) return found as T;
    const ids = this.machine.backendIds(kind);
    throw new MachineError(
      "no-backend",
      `${this.#device.label}: there is no ${kind} '${value}'; there ${ids.length === 0 ? "is none" : `are: ${ids.join(", ")}`}`,
      { at: this.path },
    );
  }

  bus(name: string, type: string, impl: unknown): Bus {
    if (this.machine.findBus(name) !== undefined)
      throw new MachineError("duplicate-id", `${this.#device.label}: there is already a bus '${name}'`, {
        at: this.path,
      });
    const bus: Bus = { name, type, impl, owner: this.#device, children: [] };
    this.#device.buses.push(bus);
    return bus;
  }

  property(name: string, property: InstanceProperty): void {
    this.#device.addProperty(name, property);
    this.onUnrealize(() => this.#device.removeProperty(name));
  }

  decided(values: Readonly<Record<string, unknown>>): void {
    this.#device.decide(values);
  }

  guestError(message: string): void {
    this.machine.log.write("guest-error", this.path, message);
  }

  unimplemented(message: string): void {
    this.machine.log.write("unimplemented", this.path, message);
  }

  trace(event: string, ...args: unknown[]): void {
    if (this.machine.log.enabled("trace")) this.machine.log.write("trace", this.path, event, args);
  }

  onReset(phase: ResetPhase, fn: () => void): void {
    this.#device.resetHooks[phase].push(fn);
  }

  onLoaded(fn: () => void): void {
    this.#device.loadedHooks.push(fn);
  }

  onUnrealize(fn: () => void): void {
    this.#device.undo.push(fn);
  }

  random(bytes: Uint8Array): void {
    this.machine.random(bytes);
  }
}

function guardAll(region: MemoryRegion, guard: Guard): void {
  if (region.port !== undefined) region.port.guard = guard;
  for (const { region: child } of region.children) guardAll(child, guard);
}
