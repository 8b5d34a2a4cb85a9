export { BLOCK_COMMANDS, runBlockCommand } from "./commands.ts";
export { BLOCK_HMP, commitDrives, type BlockHmp } from "./hmp.ts";
export { infoBlock, infoSnapshots } from "./hmp-info.ts";
export { checkArguments, command as blockCommand, nodeOf } from "./context.ts";
export type { BlockCommand, BlockControl, BlockDevice, ImageTexts } from "./context.ts";
