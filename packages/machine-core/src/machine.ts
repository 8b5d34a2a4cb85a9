import { hex } from "@mimus/bits";
import {
  parseProps,
  type Plugin,
  QomError,
  QomObject,
  type Registry,
  type ResolvedType,
  Tree,
  typeIsA,
} from "@mimus/qom";
import { AddressSpace } from "./address-space.ts";
import { type Bus, hooksOf } from "./bus.ts";
import type { ClockSet } from "./clock.ts";
import { deviceType, dynamicSysbusType, sysbusDeviceType } from "./define-device.ts";
import { checkCpuCount, machineInfo, machineType, noneMachine } from "./define-machine.ts";
import { CpuObject, Device } from "./device.ts";
import { MachineError } from "./errors.ts";
import { Log } from "./log.ts";
import type {
  CreateOptions,
  MachineBuilder,
  MachineOptions,
  ResetReason,
  ShutdownReason,
  StopReason,
  WakeReason,
} from "./machine-context.ts";
import type { MachineMemory } from "./memory.ts";
import { platformBusType } from "./platform-bus.ts";
import { MemoryRegion } from "./region.ts";
import { loadMachine, type MachineState, type SaveOptions, saveMachine } from "./snapshot.ts";

/** What a CPU is made from. */
export interface CpuRequest {
  readonly type: ResolvedType;
  /** Parsed. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Number of the CPU, from 0 on. */
  readonly index: number;
  readonly machine: Machine;
}

/** What a machine is made from: everything of the outside world comes in here. */
export interface MachineParts {
  readonly registry: Registry;
  readonly memory: MachineMemory;
  readonly clocks: ClockSet;
  /** A loaded machine type; `"none"` when absent. */
  readonly type?: string;
  /** The user's `-M` properties: option text or JSON. */
  readonly props?: Readonly<Record<string, unknown>>;
  readonly options?: Partial<MachineOptions>;
  readonly log?: Log;
  /** Defaults of properties for devices of a type and of those that inherit from it; later ones win. */
  readonly globals?: readonly GlobalProperty[];
  /** Fills with random bytes; zeros when absent. */
  readonly random?: (bytes: Uint8Array) => void;
  /** Makes a CPU, with the engine of the user's choice. */
  readonly createCpu?: (request: CpuRequest) => CpuObject;
}

/** A property's default for every device of a type (`-global driver.property=value`). */
export interface GlobalProperty {
  /** Name of a device type; types that inherit from it are meant, too. */
  readonly driver: string;
  readonly property: string;
  readonly value: unknown;
}

/** The abstract root of CPU types; a target's types inherit from it. */
export const cpuType = { name: "cpu", kind: "cpu", abstract: true, summary: "any CPU" } as const;

/** The base types that this package defines; every machine's registry has it. */
export const corePlugin: Plugin = {
  name: "@mimus/machine-core",
  types: [deviceType, sysbusDeviceType, dynamicSysbusType, platformBusType, machineType, cpuType, noneMachine],
};

const SYSTEM_SIZE: number = 2 ** 53;

/** A whole machine: the tree, the address spaces and the devices. Emits `reset-request` and `shutdown-request`. */
export class Machine extends QomObject implements MachineBuilder {
  readonly registry: Registry;
  readonly tree: Tree;
  readonly memory: MachineMemory;
  readonly system: AddressSpace;
  declare readonly io?: AddressSpace;
  readonly clocks: ClockSet;
  readonly log: Log;
  readonly options: MachineOptions;
  readonly cpus: CpuObject[] = [];
  readonly random: (bytes: Uint8Array) => void;
  readonly #createCpu: ((request: CpuRequest) => CpuObject) | undefined;
  readonly #globals: readonly GlobalProperty[];
  readonly #backends: Map<string, Map<string, unknown>> = new Map();
  #started = false;

  /** @throws QomError unknown-type, bad-property */
  constructor(parts: MachineParts) {
    const type = parts.registry.use(corePlugin).require(parts.type ?? "none", "machine");
    super(type, parseProps(type, parts.props ?? {}, `machine '${type.name}'`));
    const info = machineInfo(type);
    this.registry = parts.registry;
    this.memory = parts.memory;
    this.clocks = parts.clocks;
    this.log = parts.log ?? new Log();
    this.random = parts.random ?? ((bytes) => void bytes.fill(0));
    this.#createCpu = parts.createCpu;
    this.#globals = parts.globals ?? [];
    this.options = {
      ramSize: info.defaultRam,
      cpus: 1,
      cpuType: info.defaultCpu,
      cpuProps: {},
      serials: [],
      ...parts.options,
    };
    this.system = this.#space("system", SYSTEM_SIZE);
    if (info.ioPorts === true) this.io = this.#space("io", 0x10000);
    this.tree = new Tree(this.registry);
    this.tree.root.addChild("machine", this);
    for (const name of ["peripheral", "peripheral-anon", "unattached"]) this.tree.container(`/machine/${name}`);
  }

  #space(name: string, size: number): AddressSpace {
    const space = new AddressSpace(name, MemoryRegion.container(name, size));
    space.onUnassigned = (addr, bytes, write, value) =>
      this.log.write(
        "unassigned",
        name,
        this.log.enabled("unassigned")
          ? `${write ? "write" : "read"} of ${bytes} bytes at ${hex(addr)}${write ? ` (${hex(value >>> 0)})` : ""}`
          : "",
      );
    return space;
  }

  /** Wires the board; call once. */
  build(): this {
    const info = machineInfo(this.type);
    checkCpuCount(this.type, this.options.cpus);
    info.init(this.values as never, this);
    return this;
  }

  createCpu(typeName: string, props: Readonly<Record<string, unknown>>, index: number): CpuObject {
    const type = this.registry.require(typeName, "cpu");
    if (this.#createCpu === undefined)
      throw new MachineError("unsupported", `this program has no engine to run CPU '${typeName}'`, { at: this.path });
    const parsed = parseProps(type, { ...this.#globalsFor(type), ...props }, `CPU '${typeName}'`);
    const cpu = this.#createCpu({ type, props: parsed, index, machine: this });
    this.addChild(`cpu[${index}]`, cpu);
    cpu.realize();
    this.cpus[index] = cpu;
    return cpu;
  }

  createDevice(typeName: string, props: Readonly<Record<string, unknown>>, opts: CreateOptions = {}): Device {
    const type = this.registry.require(typeName, "device");
    if (type.abstract)
      throw new QomError(
        "abstract-type",
        `'${typeName}' is abstract; a device that inherits from it: ${this.#concrete(typeName)}`,
        { at: typeName },
      );
    const label = opts.id === undefined ? typeName : `${typeName} '${opts.id}'`;
    const values = parseProps(type, { ...this.#globalsFor(type), ...props }, label);
    const bus = this.#busFor(type, label, opts.bus);
    const device = new Device(type, this, values, {
      ...(opts.id === undefined ? {} : { id: opts.id }),
      ...(bus === undefined ? {} : { bus }),
    });
    const above = this.tree.container(
      opts.parentPath ?? (opts.id === undefined ? "/machine/unattached" : "/machine/peripheral"),
    );
    if (opts.id !== undefined && above.child(opts.id) !== undefined)
      throw new MachineError("duplicate-id", `there is already a device '${opts.id}'; choose another id`, {
        at: opts.id,
      });
    above.addChild(opts.id ?? opts.name ?? "device[*]", device);
    if (opts.realize === true)
      try {
        device.realize();
        if (this.#started) device.reset();
      } catch (error) {
        device.unparent();
        throw error;
      }
    return device;
  }

  /** The defaults that the user set for this type. */
  #globalsFor(type: ResolvedType): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (const { driver, property, value } of this.#globals) if (typeIsA(type, driver)) found[property] = value;
    return found;
  }

  #concrete(parent: string): string {
    const names = this.registry.list({ implements: parent, concrete: true }).map((t) => t.name);
    return names.slice(0, 10).join(", ") || "none is loaded";
  }

  #busFor(type: ResolvedType, label: string, wanted: Bus | string | undefined): Bus | undefined {
    const busType = type.class["bus"] as string | undefined;
    const list = (buses: Bus[]): string => buses.map((b) => `${b.name} (${b.type})`).join(", ") || "none";
    if (busType === undefined || busType === "sysbus") {
      if (wanted === undefined || wanted === "" || wanted === "main-system-bus") return undefined;
      const bus = typeof wanted === "string" ? this.findBus(wanted) : wanted;
      if (bus?.type === "sysbus") return bus;
      throw new MachineError("no-bus", `${label} plugs into no bus; leave 'bus' out`, { at: label });
    }
    if (wanted === undefined) {
      const fitting = this.buses().filter((b) => b.type === busType);
      // The board's buses before those behind a bridge, and of the board's the last one first: QEMU's order.
      const board = fitting.filter((b) => b.owner.parentBus === undefined).toReversed();
      const behind = fitting.filter((b) => b.owner.parentBus !== undefined);
      const free = [...board, ...behind].find((b) => hooksOf(b).full !== true);
      if (free !== undefined) return free;
      throw new MachineError(
        "no-bus",
        fitting.length > 0
          ? `${label} finds no room: every bus of type '${busType}' is full (${list(fitting)})`
          : `${label} needs a bus of type '${busType}'; this machine has: ${list(this.buses())}`,
        { at: label },
      );
    }
    const bus = typeof wanted === "string" ? this.findBus(wanted) : wanted;
    if (bus === undefined)
      throw new MachineError(
        "no-bus",
        `${label}: there is no bus '${String(wanted)}'; there are: ${list(this.buses())}`,
        {
          at: label,
        },
      );
    if (bus.type !== busType)
      throw new MachineError(
        "no-bus",
        `${label} needs a bus of type '${busType}', but ${bus.name} is a '${bus.type}' bus`,
        { at: label },
      );
    return bus;
  }

  backend(kind: string, id: string): unknown {
    return this.#backends.get(kind)?.get(id);
  }

  registerBackend(kind: string, id: string, object: unknown): void {
    let ids = this.#backends.get(kind);
    if (ids === undefined) this.#backends.set(kind, (ids = new Map()));
    if (ids.has(id))
      throw new MachineError("duplicate-id", `there is already a ${kind} '${id}'; choose another id`, { at: id });
    ids.set(id, object);
  }

  unregisterBackend(kind: string, id: string): void {
    this.#backends.get(kind)?.delete(id);
  }

  backendIds(kind: string): string[] {
    return [...(this.#backends.get(kind)?.keys() ?? [])].toSorted();
  }

  /** Every device in the tree, owners before what they own. */
  devices(): Device[] {
    return [...this.tree.walk()].filter((o): o is Device => o instanceof Device);
  }

  buses(): Bus[] {
    return this.devices().flatMap((d) => d.buses);
  }

  findBus(name: string): Bus | undefined {
    return this.buses().find((b) => b.name === name);
  }

  findDevice(idOrPath: string): Device | undefined {
    if (idOrPath.startsWith("/")) return this.devices().find((d) => d.path === idOrPath);
    return this.devices().find((d) => d.id === idOrPath);
  }

  requestReset(reason: ResetReason): void {
    this.emit("reset-request", reason);
  }

  requestShutdown(reason: ShutdownReason, code = 0): void {
    this.emit("shutdown-request", reason, code);
  }

  requestStop(reason: StopReason): void {
    this.emit("stop-request", reason);
  }

  requestSuspend(): void {
    this.emit("suspend-request");
  }

  requestWakeup(reason: WakeReason): void {
    this.emit("wakeup-request", reason);
  }

  requestPowerdown(): void {
    this.emit("powerdown-request");
  }

  requestNmi(): void {
    this.emit("nmi-request");
  }

  /** Whether the machine was reset once: from then on a new device is reset when it is realized. */
  get started(): boolean {
    return this.#started;
  }

  /** Resets every device: one phase over all of them, what hangs on a bus before its owner, then the next phase. */
  reset(): void {
    this.#started = true;
    const order = resetOrder(this.devices());
    for (const phase of ["enter", "hold", "exit"] as const) for (const device of order) device.resetPhase(phase);
    this.emit("reset");
  }

  /** The machine's whole state: a plain value. Stop the CPUs first. */
  saveState(options?: SaveOptions): MachineState {
    return saveMachine(this, options);
  }

  /**
   * Sets the machine to a saved state. Untrusted: it is checked first, and on any error the devices are as before.
   * @throws MachineError bad-snapshot, snapshot-version, snapshot-mismatch
   */
  loadState(raw: unknown): void {
    loadMachine(this, raw);
  }
}

function resetOrder(devices: readonly Device[]): Device[] {
  const order: Set<Device> = new Set();
  const visit = (device: Device): void => {
    for (const bus of device.buses) for (const child of bus.children) if (!order.has(child)) visit(child);
    order.add(device);
  };
  for (const device of devices.toReversed()) if (!order.has(device)) visit(device);
  return [...order];
}
