import type { CharBackend } from "@mimus/chardev";
import { BlockBackend, type Drive } from "@mimus/block";
import { INPUT_ROUTER, InputRouter } from "@mimus/display";
import {
  type Bus,
  ClockSet,
  corePlugin,
  type FirmwareFiles,
  type GlobalProperty,
  Log,
  Machine,
  type LogLevel,
  MachineMemory,
  type MachineOptions,
  checkCpuCount,
  machineInfo,
} from "@mimus/machine-core";
import { createUserObject, type Registry, type ResolvedType } from "@mimus/qom";
import type { TcgOptions } from "@mimus/tcg";
import { type CpuClass, CpuSet, parseCpu, resolveCpu } from "./cpu.ts";
import { DoorChar } from "./door.ts";
import { SystemError } from "./errors.ts";
import type { SystemHost } from "./host.ts";
import { createMemory } from "./memory.ts";
import type { LoopOptions } from "./run-loop.ts";
import type { VcpuThreadHost } from "./threads/host.ts";
import { MOST_THREADS } from "./threads/shared-block.ts";
import type { VcpuThreads } from "./threads/vcpu-threads.ts";
import { type Policies, System } from "./system.ts";

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

/** Class data of machine types that assembling reads; all of it optional. */
interface MachineClass {
  readonly defaultCpus?: Readonly<Record<string, string>>;
  /** Device types that the board creates: loaded before it is wired. */
  readonly requires?: readonly string[];
  /** Device types that the board creates where their packages are installed. */
  readonly uses?: readonly string[];
  readonly memoryOverhead?: number;
  /** Device types for a drive of an interface, first choice first. */
  readonly driveDevices?: Readonly<Record<string, readonly string[]>>;
  /** Where a drive of an interface goes: type and properties. Undefined: `driveDevices` says. @throws what the user did wrong */
  readonly placeDrive?: (drive: Drive, earlier: readonly Drive[]) => DeviceRequest | undefined;
}

/** A device that has to read something before the machine starts. */
interface Prepares {
  prepare(): Promise<void>;
}

/** Room for blocks. A Debian with systemd fills 32 MiB five times while it boots, and begins anew with all translation each time. */
const CODE_BYTES = 128 * 2 ** 20;

/** Builds a machine from its options. It is reset and ready to start. @throws QomError, MachineError, SystemError, and the board's errors */
export async function assemble(options: AssembleOptions): Promise<System> {
  const { registry, target } = options;
  registry.use(corePlugin);
  const type = await registry.ensure(await machineName(registry, options.machine, target), "machine");
  const info = machineInfo(type);
  if (info.targets.length > 0 && !info.targets.includes(target)) {
    throw new SystemError(
      "bad-option",
      `machine '${type.name}' exists for ${info.targets.join(", ")}, not for ${target}`,
    );
  }
  const data = type.class as MachineClass;
  for (const name of data.requires ?? []) await registry.ensure(name, "device");
  for (const name of data.uses ?? []) if (registry.has(name, "device")) await registry.ensure(name, "device");
  checkBootFiles(options);

  const wanted = parseCpu(options.cpu ?? data.defaultCpus?.[target] ?? info.defaultCpu);
  const cpuType = wanted.model === "" ? undefined : await resolveCpu(registry, wanted.model, target);
  const ramSize = options.ram ?? info.defaultRam;
  const cpuCount = options.smp ?? 1;
  checkCpuCount(type, cpuCount);
  const code = options.tcg?.tbSize ?? CODE_BYTES;
  const threadHost = options.threads === true ? checkThreads(options, cpuType) : undefined;
  // A single vCPU has the thread of the devices for itself.
  const threads = threadHost !== undefined && cpuCount > 1;
  const overhead = data.memoryOverhead ?? 0;
  const wasmMemory = createMemory({ ram: ramSize, cpus: cpuCount, code, overhead, threads });
  const cpus = new CpuSet(
    wasmMemory,
    {
      // Instructions as the clock need slices of exactly the length that was asked for.
      exact: options.loop?.icount !== undefined,
      ...options.tcg,
      tbSize: code,
    },
    threads ? { host: threadHost, cpus: cpuCount } : undefined,
  );
  const host = cpus.threads === undefined ? options.host : withTime(options.host, cpus.threads);
  const log = new Log(
    host.log === undefined ? undefined : (record) => host.log?.(record),
    options.logLevels === undefined ? {} : { levels: options.logLevels },
  );
  const { kernel, initrd, append, dtb, bios, uuid, bootMenu } = options;
  let system: System | undefined;
  const door = (backend: CharBackend): CharBackend =>
    new DoorChar(backend, (fn) => (system === undefined ? fn() : system.post(fn)));
  const machine = new Machine({
    registry,
    memory: new MachineMemory(wasmMemory.buffer),
    clocks: new ClockSet(
      () => host.now(),
      () => host.wallNow(),
    ),
    type: type.name,
    props: { ...flashProps(options.drives ?? []), ...options.machineProps },
    log,
    globals: options.globals ?? [],
    random: (bytes) => host.random(bytes),
    createCpu: (request) => cpus.create(request),
    options: {
      ramSize,
      cpus: cpuCount,
      cpuType: cpuType?.name ?? "",
      cpuProps: wanted.props,
      serials: (options.serials ?? []).map((backend) => (backend === undefined ? undefined : door(backend))),
      parallels: (options.parallels ?? []).map((backend) => (backend === undefined ? undefined : door(backend))),
      ...options.board,
      ...(kernel === undefined ? {} : { kernel }),
      ...(initrd === undefined ? {} : { initrd }),
      ...(append === undefined ? {} : { append }),
      ...(dtb === undefined ? {} : { dtb }),
      ...(bios === undefined ? {} : { bios }),
      ...(uuid === undefined ? {} : { uuid }),
      ...(bootMenu === undefined ? {} : { bootMenu }),
    },
  });
  for (const [id, backend] of options.chardevs ?? []) machine.registerBackend("chardev", id, door(backend));
  for (const drive of options.drives ?? []) machine.registerBackend("drive", drive.id, drive.backend);
  for (const [kind, id, object] of options.backends ?? []) machine.registerBackend(kind, id, object);
  machine.registerBackend(INPUT_ROUTER.kind, INPUT_ROUTER.id, new InputRouter());
  if (options.firmwareFiles !== undefined) machine.registerBackend("firmware", "files", options.firmwareFiles);
  for (const object of options.objects ?? []) await addObject(machine, object);
  machine.build();
  for (const [i, drive] of (options.drives ?? []).entries())
    await addDrive(machine, drive, options.drives?.slice(0, i) ?? [], data);
  for (const device of options.devices ?? []) await addDevice(machine, device);

  for (const device of machine.devices()) {
    const impl = device.impl as Partial<Prepares> | undefined;
    if (typeof impl?.prepare === "function") await impl.prepare();
  }
  system = new System({
    machine,
    cpus,
    host,
    qtest: options.accel === "qtest",
    ...(options.loop === undefined ? {} : { loop: options.loop }),
    ...(options.policies === undefined ? {} : { policies: options.policies }),
  });
  for (const id of machine.backendIds("drive")) {
    const backend = machine.backend("drive", id);
    if (backend instanceof BlockBackend) system.watchDrive(backend);
  }
  await system.openThreads();
  machine.reset();
  return system;
}

/** The host's threads, where vCPUs can have them. @throws SystemError bad-option */
function checkThreads({ host, loop, smp = 1 }: AssembleOptions, cpu: ResolvedType | undefined): VcpuThreadHost {
  const refuse = (why: string): never => {
    throw new SystemError("bad-option", `-accel tcg,thread=multi: ${why}`);
  };
  if (loop?.icount !== undefined) refuse("not with -icount, which counts the instructions of one vCPU after the other");
  if (typeof SharedArrayBuffer === "undefined") refuse("this host has no memory that threads share");
  if (smp > MOST_THREADS) refuse(`${smp} CPUs; at most ${MOST_THREADS} can have threads`);
  const { threads } = host;
  if (threads === undefined) return refuse("this host has no threads for vCPUs");
  const info = cpu?.class["cpu"] as CpuClass | undefined;
  if (smp > 1 && info?.threads === undefined)
    refuse(`CPUs of type '${cpu?.name ?? "none"}' do not run on threads of their own`);
  if (info?.storesInOrder === true && threads.refusal !== undefined) refuse(threads.refusal);
  return threads;
}

/** The host with a clock that all threads agree on. */
function withTime(host: SystemHost, threads: VcpuThreads): SystemHost {
  return {
    now: () => threads.latest(host.now()),
    wallNow: () => host.wallNow(),
    yield: () => host.yield(),
    sleepUntil: (deadline, arm) => host.sleepUntil(deadline, arm),
    random: (bytes) => host.random(bytes),
    ...(host.log === undefined ? {} : { log: (record) => host.log?.(record) }),
  };
}

/** Creates and realizes a device that the user named; loads its package first. */
export async function addDevice(machine: Machine, { driver, id, bus, props }: DeviceRequest): Promise<void> {
  const type = await machine.registry.ensure(driver, "device");
  if (!type.userCreatable) {
    throw new SystemError("bad-option", `device '${driver}' is part of a board and cannot be added with -device`);
  }
  const place = bus ?? (type.class["bus"] === "sysbus" ? platformBus(machine, type) : undefined);
  machine.createDevice(type.name, props ?? {}, {
    realize: true,
    ...(id === undefined ? { parentPath: "/machine/peripheral-anon" } : { id }),
    ...(place === undefined ? {} : { bus: place }),
  });
}

/** Where a sysbus device goes that no board places. */
function platformBus(machine: Machine, type: ResolvedType): Bus {
  if (type.class["dynamicSysbus"] !== true) {
    throw new SystemError("bad-option", `device '${type.name}' has no place of its own: only a board can add it`);
  }
  const bus = machine.buses().find((b) => b.type === "sysbus");
  if (bus !== undefined) return bus;
  throw new SystemError("bad-option", `machine '${machine.type.name}' takes no sysbus devices such as '${type.name}'`);
}

/** Creates an object that the user named; devices find it by its id, under the kinds that its type is or implements. */
export async function addObject(machine: Machine, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { "qom-type": name, id, ...props } = options;
  if (typeof name !== "string" || name === "")
    throw new SystemError("bad-option", "-object needs a type: -object TYPE,id=ID");
  if (typeof id !== "string" || id === "") throw new SystemError("bad-option", `-object ${name}: needs id=ID`);
  const type = await machine.registry.ensure(name, "object");
  const object = createUserObject(machine.registry, machine.tree, name, id, props, machine);
  const kind = type.class["backend"];
  if (typeof kind === "string") machine.registerBackend(kind, id, object.impl);
}

/** The device for a drive that came without one (`-drive if=virtio`). */
async function addDrive(machine: Machine, drive: Drive, earlier: readonly Drive[], data: MachineClass): Promise<void> {
  if (drive.interface === "none" || drive.interface === "pflash") return;
  const placed = data.placeDrive?.(drive, earlier);
  if (placed !== undefined) return addDevice(machine, placed);
  const choices = data.driveDevices?.[drive.interface] ?? [];
  const known = machine.registry.known("device").map((k) => k.name);
  const driver = choices.find((name) => known.includes(name));
  if (driver === undefined) {
    throw new SystemError(
      "bad-option",
      `machine '${machine.type.name}' has no place for drive '${drive.id}' with if=${drive.interface}; use if=none and -device`,
    );
  }
  await addDevice(machine, { driver, props: { drive: drive.id } });
}

/** Drives with `if=pflash` are properties of the board: `pflash0`, `pflash1`. */
function flashProps(drives: readonly Drive[]): Record<string, string> {
  const props: Record<string, string> = {};
  let next = 0;
  for (const drive of drives.filter((d) => d.interface === "pflash")) {
    const unit = drive.unit ?? drive.index ?? next;
    props[`pflash${unit}`] = drive.id;
    next = unit + 1;
  }
  return props;
}

function checkBootFiles({ kernel, initrd, append }: BootFiles): void {
  if (kernel === undefined && append !== undefined && append !== "") {
    throw new SystemError("bad-option", "-append only allowed with -kernel option");
  }
  if (kernel === undefined && initrd !== undefined) {
    throw new SystemError("bad-option", "-initrd only allowed with -kernel option");
  }
}

/** The type's own name for a name or alias. */
async function machineName(registry: Registry, name: string | undefined, target: string): Promise<string> {
  if (name !== undefined && registry.known("machine").some((k) => k.name === name)) return name;
  for (const known of registry.known("machine")) {
    const type = known.type ?? (await registry.ensure(known.name, "machine"));
    const info = machineInfo(type);
    if (info.targets.length > 0 && !info.targets.includes(target)) continue;
    if (name === undefined ? info.isDefault === true : info.aliases?.includes(name) === true) return type.name;
  }
  if (name !== undefined) return name;
  throw new SystemError(
    "bad-option",
    `No machine specified, and there is no default for ${target}; use -M with a machine, or -M help`,
  );
}
