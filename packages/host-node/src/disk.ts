/** What tools for disk images need of Node, and nothing else: they start faster so. */
export { nodeCodecs, nodeFormatHost } from "./codecs.ts";
export { nodeDirectory, type NodeDirectoryOptions } from "./directory.ts";
export { nodeFiles } from "./files.ts";
export { exitAtOnce } from "./libc.ts";
