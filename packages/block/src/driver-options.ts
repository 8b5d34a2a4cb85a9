import type { Registry } from "@mimus/qom";
import { z } from "zod";
import type { FilterOps } from "./filter.ts";
import type { FormatOps } from "./format.ts";
import { CommonOptions } from "./node-options.ts";

/** What `-blockdev driver=NAME` takes. */
export interface DriverOptions {
  /** Of the driver. */
  readonly name: string;
  /** The driver's own, without those that every node takes. */
  readonly own: z.ZodObject;
  /** Options that are nodes. */
  readonly children: Readonly<Record<string, "required" | "optional">>;
}

/** Options that every node takes, and those of each driver that is installed; packages are loaded for it. */
export async function driverOptions(
  registry: Registry,
): Promise<{ readonly common: z.ZodObject; readonly drivers: readonly DriverOptions[] }> {
  const drivers: DriverOptions[] = [];
  for (const kind of ["block-format", "block-filter", "block-protocol"])
    for (const { name } of registry.known(kind)) {
      const type = await registry.ensure(name, kind);
      const { format, filter } = type.class as { format?: FormatOps; filter?: FilterOps };
      const roles = (format?.children ?? []).map((role) => [role, "optional"] as const);
      const children = format
        ? { file: "required" as const, backing: "optional" as const, ...Object.fromEntries(roles) }
        : (filter?.children ?? {});
      const own = type.props instanceof z.ZodObject ? type.props : z.strictObject({});
      drivers.push({ name, own, children });
    }
  return { common: CommonOptions, drivers };
}
