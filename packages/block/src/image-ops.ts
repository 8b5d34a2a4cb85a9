import type { BlockNode } from "./node.ts";

/** What a format can do besides bytes: each member is there when the format (and this image) can. */
export interface ImageOps {
  /** Bytes of the unit in which the image allocates. */
  readonly clusterSize?: number;
  /** Facts about the image for `info`, in QEMU's names of `ImageInfoSpecific`; numbers, strings, booleans, lists, nested. */
  info?(): Promise<ImageInfo>;
  /** Looks for errors, and repairs them as asked. */
  check?(repair: CheckRepair, progress?: (done: number, total: number) => void): Promise<CheckReport>;
  /** Snapshots inside the image. */
  readonly snapshots?: SnapshotOps;
  /** Dirty bitmaps inside the image. */
  readonly bitmaps?: BitmapOps;
  /** Stores one cluster compressed (at its start, a whole cluster unless it is the image's end). */
  writeCompressed?(at: number, from: Uint8Array): Promise<void>;
  /** Writes the name of the backing file into the image; undefined takes it out. Content is the caller's matter. */
  changeBacking?(filename: string | undefined, format: string | undefined): Promise<void>;
  /** Gives up everything that the image itself holds: all reads come from the backing node afterwards. */
  makeEmpty?(): Promise<void>;
  /** Changes options of an existing image; keys as in `createOptions`. */
  amend?(options: Readonly<Record<string, unknown>>, progress?: (done: number, total: number) => void): Promise<void>;
  /** The machine's saved state inside the image: bytes beyond the disk, sparse. */
  readonly vmState?: {
    read(at: number, into: Uint8Array): Promise<void>;
    write(at: number, from: Uint8Array): Promise<void>;
  };
}

/** What `info` says about an image beyond sizes and names. */
export interface ImageInfo {
  /** Name of the backing file as the image has it. */
  readonly backingFile?: string;
  /** Format of the backing file as the image has it. */
  readonly backingFormat?: string;
  readonly encrypted?: boolean;
  readonly compressed?: boolean;
  /** The image was not closed properly. */
  readonly dirty?: boolean;
  /** QEMU's `format-specific`: type and data. */
  readonly specific?: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
}

/** What a check may change: nothing, space that nothing uses, or everything. */
export type CheckRepair = "none" | "leaks" | "all";

/** Counts in QEMU's names (ImageCheck); absent = not counted by this format. */
export interface CheckReport {
  /** Things wrong that could cost data. */
  readonly corruptions: number;
  /** Space that nothing uses. */
  readonly leaks: number;
  /** Of `corruptions`, repaired. */
  readonly corruptionsFixed: number;
  /** Of `leaks`, given back. */
  readonly leaksFixed: number;
  /** Parts that could not be checked (I/O errors). */
  readonly checkErrors: number;
  /** Bytes from the file's start to the end of the last part in use. */
  readonly imageEndOffset?: number;
  /** Clusters of the disk, allocated or not. */
  readonly totalClusters?: number;
  readonly allocatedClusters?: number;
  /** Allocated clusters that do not follow the one before. */
  readonly fragmentedClusters?: number;
  readonly compressedClusters?: number;
  /** One line for each finding, at most 1000. */
  readonly messages: readonly string[];
}

/** A snapshot inside an image. */
export interface SnapshotInfo {
  /** Unique in the image: "1", "2", ... */
  readonly id: string;
  /** What the user called it. */
  readonly name: string;
  /** Bytes of saved machine state; 0 = disk only. */
  readonly vmStateSize: number;
  /** Seconds since 1970 and nanoseconds. */
  readonly dateSec: number;
  readonly dateNsec: number;
  /** Guest time that had run, nanoseconds. */
  readonly vmClockNs: number;
  /** Instructions executed under icount; absent when not recorded. */
  readonly icount?: number;
  /** Bytes of the disk when the snapshot was made. */
  readonly diskSize?: number;
}

/** Snapshots inside an image. Failures are BlockErrors. */
export interface SnapshotOps {
  /** All, in order of making. */
  list(): Promise<readonly SnapshotInfo[]>;
  /** @throws BlockError "in-use" when the name is taken. */
  create(info: Omit<SnapshotInfo, "id">): Promise<SnapshotInfo>;
  /** The disk becomes as it was. `which`: id or name. */
  apply(which: string): Promise<void>;
  /** Takes a snapshot away, and the clusters that only it held. `which`: id or name. @throws BlockError "not-found" */
  delete(which: string): Promise<void>;
  /** A read-only node of the disk as it was; closing it leaves the image open. */
  open(which: string, name: string): Promise<BlockNode>;
}

/** A dirty bitmap that an image keeps. */
export interface BitmapInfo {
  /** Unique in the image. */
  readonly name: string;
  /** Bytes of disk for each bit. */
  readonly granularity: number;
  /** Records writes when the image is opened. */
  readonly auto: boolean;
  /** Was not saved properly: its content cannot be relied on. */
  readonly inUse: boolean;
}

/** Dirty bitmaps inside an image. Failures are BlockErrors. */
export interface BitmapOps {
  /** What is there, without the bits. */
  list(): Promise<readonly BitmapInfo[]>;
  /** `bits`: its content; none of them set when absent. */
  add(name: string, granularity: number, auto: boolean, bits?: Uint8Array): Promise<void>;
  /** Takes it out of the image. @throws BlockError "not-found" */
  remove(name: string): Promise<void>;
  /** The bits, one for each granule, least significant first. */
  load(name: string): Promise<Uint8Array>;
  /** Writes the bits, which are then up to date again. */
  store(name: string, bits: Uint8Array): Promise<void>;
  /** Says in the image that the bits are not up to date until they are stored; absent = the image cannot say so. */
  use?(name: string): Promise<void>;
  /** Whether it records writes when the image is opened. */
  setAuto(name: string, auto: boolean): Promise<void>;
}

/** What an image would take: `measure`. Bytes. */
export interface Measure {
  /** With only what `source` holds. */
  readonly required: number;
  /** With every cluster of the disk stored. */
  readonly fullyAllocated: number;
  /** Further bytes for the bitmaps of `source`. */
  readonly bitmaps?: number;
}
