import { machineInfo } from "@mimus/machine-core";
import { didYouMean, type Registry, type ResolvedType } from "@mimus/qom";

import { UsageError } from "./errors.ts";

/** The machine types that exist for a target; imports the packages that have any. */
export async function machinesFor(registry: Registry, target: string): Promise<ResolvedType[]> {
  const types: ResolvedType[] = [];
  for (const { name } of registry.known("machine")) {
    const type = await registry.ensure(name, "machine");
    const { targets } = machineInfo(type);
    if (targets.length === 0 || targets.includes(target)) types.push(type);
  }
  return types;
}

/** No installed package has machines for a target. */
async function noMachines(registry: Registry, target: string): Promise<UsageError> {
  const targets = new Set<string>();
  for (const { name } of registry.known("machine"))
    for (const other of machineInfo(await registry.ensure(name, "machine")).targets) targets.add(other);
  const list = targets.size === 0 ? "" : ` (they have machines for ${[...targets].toSorted().join(", ")})`;
  return new UsageError(
    `no installed package has machines for '${target}'${didYouMean(target, targets)}${list}; '-plugin PACKAGE' adds one`,
  );
}

/** The machine that the user named, by type name or alias. @throws UsageError, QomError unknown-type with the nearest names */
export async function findMachine(registry: Registry, name: string | undefined, target: string): Promise<ResolvedType> {
  const types = await machinesFor(registry, target);
  const found = types.find((type) =>
    name === undefined
      ? machineInfo(type).isDefault === true
      : type.name === name || machineInfo(type).aliases?.includes(name) === true,
  );
  if (found !== undefined) return found;
  if (types.every((type) => machineInfo(type).targets.length === 0)) throw await noMachines(registry, target);
  const list = types.map((type) => type.name).join(", ");
  if (name === undefined)
    throw new UsageError(
      `No machine specified, and there is no default. Name one with -M; for ${target} there are: ${list}`,
    );
  const other = registry.get(name);
  if (other?.kind === "machine")
    throw new UsageError(
      `-M ${name}: exists for ${machineInfo(other).targets.join(", ")}, not for ${target}; there are: ${list}`,
    );
  return registry.require(name, "machine");
}
