import { corePlugin } from "@mimus/machine-core";
import { Registry } from "@mimus/qom";

import { type Discovery, discoverInto } from "./discover-plugins.ts";

export type { Discovery } from "./discover-plugins.ts";

/** Finds the packages of the project for machines: see {@link discoverInto}. */
export function discover(from: string, extra: readonly string[] = []): Promise<Discovery> {
  return discoverInto(new Registry().use(corePlugin), from, extra);
}
