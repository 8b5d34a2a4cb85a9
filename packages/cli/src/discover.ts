import { corePlugin } from "@mimus/machine-core";
import { Registry } from "@mimus/qom";

import { type Discovery, discoverInto } from "./discover-plugins.ts";
import type { Facts } from "./scripts/facts.ts";

export type { Discovery } from "./discover-plugins.ts";

/** Finds the packages of the project for machines: see {@link discoverInto}. */
export function discover(from: string, extra: readonly string[] = [], facts?: Facts): Promise<Discovery> {
  return discoverInto(new Registry().use(corePlugin), from, extra, facts);
}
