export * from "./block/index.ts";
export { HumanMonitor } from "./hmp.ts";
export { COMMANDS, execute, type Command } from "./commands.ts";
export type { CpuInfo, MachineControl } from "./control.ts";
export { machineCommand, machineCommandNames, machineSchema, type QmpCommand } from "./qmp.ts";
export { BLOCK_EVENTS, qmpSchema, type SchemaInfo } from "./schema.ts";
export { inspectMachine, type Inspectable } from "./inspect.ts";
export { type HumanReadableText } from "./queries.ts";
export type { Session } from "./session.ts";
