export { StorageDaemon } from "./daemon.ts";
export type { DaemonHost } from "./daemon.ts";
export { BlockExports } from "./exports.ts";
export type { ExportHost } from "./exports.ts";
export { QmpMonitor, UnknownCommand } from "./qmp.ts";
export type { QmpHost } from "./qmp.ts";
