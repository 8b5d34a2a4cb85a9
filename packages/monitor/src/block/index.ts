export { BLOCK_COMMANDS, runBlockCommand } from "./commands.ts";
export { BLOCK_HMP, commitDrives, infoBlock, infoBlockJobs, infoBlockStats, type BlockHmp } from "./hmp.ts";
export { checkArguments, command as blockCommand, nodeOf } from "./context.ts";
export type { BlockCommand, BlockControl, BlockDevice } from "./context.ts";
export { deviceInfo, imageInfo } from "./info.ts";
