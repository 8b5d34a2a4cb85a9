export * from "./constants.ts";
export { errorName, errorNumber, NbdError } from "./errors.ts";
export type { NbdErrorKind } from "./errors.ts";
export { ByteReader } from "./stream.ts";
export type { ByteStream, StreamAddress, StreamHost, StreamListener, TlsCredentials } from "./stream.ts";
export { exportFlags } from "./server/export.ts";
export type { DirtyBitmap, NbdExport } from "./server/export.ts";
export { NbdServer } from "./server/server.ts";
export type { NbdServerOptions } from "./server/server.ts";
