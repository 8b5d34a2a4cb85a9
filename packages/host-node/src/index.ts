export { cursesDisplay } from "./display/curses.ts";
export { type DisplayTarget, type RunningDisplay, webDisplay, type WebDisplayOptions } from "./display/web.ts";
export { nodeClock, type NodeClock, type NodeClockOptions } from "./clock.ts";
export { nodeDirectory, type NodeDirectoryOptions } from "./directory.ts";
export { nodeFiles } from "./files.ts";
export { nodeChars, hasStdin } from "./streams.ts";
export { libc, type Libc } from "./libc.ts";
export { nodeSockets } from "./net/sockets.ts";
export { pskCredentials, x509Credentials, type PskOptions, type X509Options } from "./net/tls.ts";
