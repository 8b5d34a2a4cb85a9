export { Arguments, parseArguments } from "./arguments.ts";
export type { OptionSpec } from "./arguments.ts";
export { messageOf, ToolError } from "./errors.ts";
export type { ToolHost } from "./host.ts";
export { keyValues } from "./key-values.ts";
export { Objects } from "./objects.ts";
export { parseBytes } from "./sizes.ts";
export { cacheOptions, Tools } from "./tools.ts";
