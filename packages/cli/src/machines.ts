import { machineInfo } from "@mimus/machine-core";
import type { Registry, ResolvedType } from "@mimus/qom";

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

/** The machine that the user named, by type name or alias. @throws UsageError, QomError unknown-type with the nearest names */
export async function findMachine(registry: Registry, name: string | undefined, target: string): Promise<ResolvedType> {
  const types = await machinesFor(registry, target);
  const list =
    types.map((type) => type.name).join(", ") || "none (install a package with machines, such as @mimus/hw-virt)";
  if (name === undefined) {
    const standard = types.find((type) => machineInfo(type).isDefault === true);
    if (standard !== undefined) return standard;
    throw new UsageError(
      `No machine specified, and there is no default. Name one with -M; for ${target} there are: ${list}`,
    );
  }
  const found = types.find((type) => type.name === name || machineInfo(type).aliases?.includes(name) === true);
  if (found !== undefined) return found;
  const other = registry.get(name);
  if (other?.kind === "machine")
    throw new UsageError(
      `-M ${name}: exists for ${machineInfo(other).targets.join(", ")}, not for ${target}; there are: ${list}`,
    );
  return registry.require(name, "machine");
}
