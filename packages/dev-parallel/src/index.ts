import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { isaParallel } from "./isa-parallel.ts";

export { ParallelPort } from "./port.ts";
export type { ParallelPins } from "./port.ts";
export { isaParallel };

/** The parallel port. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-parallel", types: [isaParallel] });
export default plugin;
