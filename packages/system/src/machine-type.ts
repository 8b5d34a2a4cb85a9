import type { Drive } from "@mimus/block";
import { machineInfo } from "@mimus/machine-core";
import type { Registry, ResolvedType } from "@mimus/qom";
import type { AssembleOptions, DeviceRequest } from "./assemble-options.ts";
import { SystemError } from "./errors.ts";

/** Class data of machine types that assembling reads; all of it optional. */
export interface MachineClass {
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

/** The machine type that the options ask for, with the packages of the parts that its board creates. @throws SystemError bad-option, QomError */
export async function findMachineType({ registry, machine, target }: AssembleOptions): Promise<ResolvedType> {
  const type = await registry.ensure(await machineName(registry, machine, target), "machine");
  const { targets } = machineInfo(type);
  if (targets.length > 0 && !targets.includes(target))
    throw new SystemError("bad-option", `machine '${type.name}' exists for ${targets.join(", ")}, not for ${target}`);
  const { requires = [], uses = [] } = type.class as MachineClass;
  for (const name of requires) await registry.ensure(name, "device");
  for (const name of uses) if (registry.has(name, "device")) await registry.ensure(name, "device");
  return type;
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
