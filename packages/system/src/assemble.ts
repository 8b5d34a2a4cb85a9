import { BlockBackend } from "@mimus/block";
import type { CharBackend } from "@mimus/chardev";
import { INPUT_ROUTER, InputRouter } from "@mimus/display";
import { checkCpuCount, ClockSet, corePlugin, Log, Machine, machineInfo, MachineMemory } from "@mimus/machine-core";
import type { ResolvedType } from "@mimus/qom";
import type { AssembleOptions, BootFiles } from "./assemble-options.ts";
import { CpuSet, parseCpu, resolveCpu } from "./cpu.ts";
import { DoorChar } from "./door.ts";
import { SystemError } from "./errors.ts";
import type { SystemHost } from "./host.ts";
import { findMachineType, type MachineClass } from "./machine-type.ts";
import { createMemory } from "./memory.ts";
import { System } from "./system.ts";
import { checkThreads, withTime } from "./threads/thread-host.ts";
import { addDevice, addDrive, addObject, flashProps } from "./user-devices.ts";

/** A device that has to read something before the machine starts. */
interface Prepares {
  prepare(): Promise<void>;
}

/** What the machine is made of besides its options. */
interface Parts {
  readonly type: ResolvedType;
  readonly cpuType: ResolvedType | undefined;
  readonly cpuProps: Readonly<Record<string, unknown>>;
  readonly cpuCount: number;
  readonly ramSize: number;
}

/** Puts a character device behind the machine's door. */
type Door = (backend: CharBackend) => CharBackend;

/** Room for blocks. A Debian with systemd fills 32 MiB five times while it boots, and begins anew with all translation each time. */
const CODE_BYTES = 128 * 2 ** 20;

/** Builds a machine from its options. It is reset and ready to start. @throws QomError, MachineError, SystemError, and the board's errors */
export async function assemble(options: AssembleOptions): Promise<System> {
  options.registry.use(corePlugin);
  const parts = await findParts(options);
  const { cpus, buffer } = makeCpus(options, parts);
  const host = cpus.threads === undefined ? options.host : withTime(options.host, cpus.threads);
  let system: System | undefined;
  const door: Door = (backend) => new DoorChar(backend, (fn) => (system === undefined ? fn() : system.post(fn)));
  const machine = makeMachine(options, parts, host, new MachineMemory(buffer), cpus, door);
  await populate(machine, options, door);
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

/** The types that the options name; everything that can be refused without a machine is. */
async function findParts(options: AssembleOptions): Promise<Parts> {
  const { registry, target } = options;
  const type = await findMachineType(options);
  const info = machineInfo(type);
  checkBootFiles(options);
  const wanted = parseCpu(options.cpu ?? (type.class as MachineClass).defaultCpus?.[target] ?? info.defaultCpu);
  const cpuType = wanted.model === "" ? undefined : await resolveCpu(registry, wanted.model, target);
  const cpuCount = options.smp ?? 1;
  checkCpuCount(type, cpuCount);
  return { type, cpuType, cpuProps: wanted.props, cpuCount, ramSize: options.ram ?? info.defaultRam };
}

/** The machine's one memory, and the vCPUs in it. */
function makeCpus(options: AssembleOptions, parts: Parts): { cpus: CpuSet; buffer: ArrayBufferLike } {
  const { type, cpuType, cpuCount, ramSize } = parts;
  const code = options.tcg?.tbSize ?? CODE_BYTES;
  const threadHost = options.threads === true ? checkThreads(options, cpuType) : undefined;
  // A single vCPU has the thread of the devices for itself.
  const threads = threadHost !== undefined && cpuCount > 1;
  const overhead = (type.class as MachineClass).memoryOverhead ?? 0;
  const memory = createMemory({ ram: ramSize, cpus: cpuCount, code, overhead, threads });
  const cpus = new CpuSet(
    memory,
    {
      // Instructions as the clock need slices of exactly the length that was asked for.
      exact: options.loop?.icount !== undefined,
      ...options.tcg,
      tbSize: code,
    },
    threads ? { host: threadHost, cpus: cpuCount } : undefined,
  );
  return { cpus, buffer: memory.buffer };
}

function makeMachine(
  options: AssembleOptions,
  { type, cpuType, cpuProps, cpuCount, ramSize }: Parts,
  host: SystemHost,
  memory: MachineMemory,
  cpus: CpuSet,
  door: Door,
): Machine {
  const behindDoor = (backend: CharBackend | undefined): CharBackend | undefined => backend && door(backend);
  return new Machine({
    registry: options.registry,
    memory,
    clocks: new ClockSet(
      () => host.now(),
      () => host.wallNow(),
    ),
    type: type.name,
    props: { ...flashProps(options.drives ?? []), ...options.machineProps },
    log: new Log(
      host.log === undefined ? undefined : (record) => host.log?.(record),
      options.logLevels === undefined ? {} : { levels: options.logLevels },
    ),
    globals: options.globals ?? [],
    random: (bytes) => host.random(bytes),
    createCpu: (request) => cpus.create(request),
    options: {
      ramSize,
      cpus: cpuCount,
      cpuType: cpuType?.name ?? "",
      cpuProps,
      serials: (options.serials ?? []).map(behindDoor),
      parallels: (options.parallels ?? []).map(behindDoor),
      ...options.board,
      ...bootFiles(options),
    },
  });
}

/** Gives the machine its back ends, then its board and what the user added, in an order in which each finds what it needs. */
async function populate(machine: Machine, options: AssembleOptions, door: Door): Promise<void> {
  const drives = options.drives ?? [];
  for (const [id, backend] of options.chardevs ?? []) machine.registerBackend("chardev", id, door(backend));
  for (const drive of drives) machine.registerBackend("drive", drive.id, drive.backend);
  for (const [kind, id, object] of options.backends ?? []) machine.registerBackend(kind, id, object);
  machine.registerBackend(INPUT_ROUTER.kind, INPUT_ROUTER.id, new InputRouter());
  if (options.firmwareFiles !== undefined) machine.registerBackend("firmware", "files", options.firmwareFiles);
  for (const object of options.objects ?? []) await addObject(machine, object);
  machine.build();
  for (const [i, drive] of drives.entries()) await addDrive(machine, drive, drives.slice(0, i));
  for (const device of options.devices ?? []) await addDevice(machine, device);
  for (const device of machine.devices()) {
    const impl = device.impl as Partial<Prepares> | undefined;
    if (typeof impl?.prepare === "function") await impl.prepare();
  }
}

/** What the board starts, without what was not given. */
function bootFiles({ kernel, initrd, append, dtb, bios, uuid, bootMenu }: BootFiles): BootFiles {
  return {
    ...(kernel === undefined ? {} : { kernel }),
    ...(initrd === undefined ? {} : { initrd }),
    ...(append === undefined ? {} : { append }),
    ...(dtb === undefined ? {} : { dtb }),
    ...(bios === undefined ? {} : { bios }),
    ...(uuid === undefined ? {} : { uuid }),
    ...(bootMenu === undefined ? {} : { bootMenu }),
  };
}

function checkBootFiles({ kernel, initrd, append }: BootFiles): void {
  if (kernel === undefined && append !== undefined && append !== "") {
    throw new SystemError("bad-option", "-append only allowed with -kernel option");
  }
  if (kernel === undefined && initrd !== undefined) {
    throw new SystemError("bad-option", "-initrd only allowed with -kernel option");
  }
}
