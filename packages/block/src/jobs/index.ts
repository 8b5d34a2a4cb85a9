export { BackupBody, type BackupOptions } from "./backup.ts";
export { commitNow } from "./commit.ts";
export { Job, JobGroup } from "./job.ts";
export type { JobBody, JobEvent, JobOptions, JobStatus, JobType, JobVerb, OnError } from "./job.ts";
export { Jobs, type JobSettings } from "./manager.ts";
export { type MirrorOptions } from "./mirror.ts";
export { nameOf } from "./relink.ts";
export type { StreamOptions } from "./stream.ts";
