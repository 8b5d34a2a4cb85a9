export { webClock, type WebClock, type WebClockOptions } from "./clock.ts";
export { download, type DownloadOptions, type Progress } from "./download.ts";
export { BlobFile } from "./blob-file.ts";
export { copyToOpfs, inOpfs, openOpfs, OpfsFile, readOpfs, type SyncAccess } from "./opfs.ts";
export { webFormatHost } from "./format-host.ts";
export { webFiles, type WebFilesOptions } from "./files.ts";
export { terminalStream, type TerminalLike } from "./terminal.ts";
export { webChars, type WebCharsOptions } from "./chars.ts";
export { webProgramTime, type WebProgramTime } from "./program.ts";
