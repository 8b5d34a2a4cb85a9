import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";

/** Codes of {@link ClusterMap.peek} for clusters whose bytes have no place of their own in the file. */
export const UNALLOCATED = -1;
/** The cluster reads as zeroes. */
export const ZEROES = -2;
/** The cluster is compressed: `readCompressed` gives its bytes. */
export const COMPRESSED = -3;

/**
 * Where the clusters of an image lie: what a format gives to {@link ClusterNode}. A cluster is its number, from 0 on; its
 * place is the offset of its bytes in the file (0 and up), or {@link UNALLOCATED}, {@link ZEROES} or {@link COMPRESSED}.
 */
export interface ClusterMap {
  /** Bytes, a power of two. */
  readonly clusterSize: number;
  /** The format can mark a cluster as zeroes without storing it. */
  readonly marksZeroes: boolean;
  /** The place, when its table is in memory. @throws BlockError "corrupt" for an entry that cannot be right */
  peek(cluster: number): number | undefined;
  /** Clusters from this one on of which `peek` is known to say the same without being asked (a table that is not there). Default: 1. */
  span?(cluster: number): number;
  /** Brings the table of a cluster into memory: `peek` knows it right afterwards. */
  load(cluster: number): Promise<void>;
  /** Reserves room for one cluster; calls right after each other give neighbours where they can. */
  allocate(): number;
  /** Gives reserved room back that no entry points at. */
  release?(place: number): void;
  /** The room may hold old bytes, so that every byte of it must be written. Absent: new room reads as zeroes. */
  stale?(place: number): boolean;
  /** Points a cluster at its place (or {@link ZEROES}). What it points at was written before. */
  set(cluster: number, place: number): Promise<void>;
  /** Bytes of a compressed cluster. */
  readCompressed?(cluster: number): Promise<Uint8Array>;
  /** Stores a cluster in the format's own way instead of at a place: compressed. */
  store?(cluster: number, bytes: Uint8Array): Promise<void>;
  /** Pieces of tables that wait for a commit. */
  readonly changed: number;
  /** Makes all data stable, then what points at it. */
  commit(): Promise<void>;
}

/** What a cluster node stands on. */
export interface ClusterNodeOptions {
  /** node-name. */
  readonly name: string;
  /** Name of the format. */
  readonly driver: string;
  /** Bytes of the disk. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Where the clusters lie; it closes with the node. */
  readonly file: BlockNode;
  readonly map: ClusterMap;
  /** What clusters that are not allocated read as; absent = zeroes. It closes with the node. */
  readonly backing?: BlockNode | undefined;
  /** Where the disk begins in the backing node. */
  readonly backingOffset?: number;
  /** What the format can do besides bytes. */
  readonly image?: ImageOps;
  /** Room was made when the image was: the file knows which of it is still zero. */
  readonly preallocated?: boolean;
  /** Runs once before the first change of the image. */
  readonly firstWrite?: () => Promise<void>;
  /** Changes the size of the disk in the format's tables; absent: it is fixed. */
  readonly resize?: (size: number) => Promise<void>;
  /** The image may become writable or read-only while it is open; this runs first and may refuse. Absent: it stays as it is. */
  readonly reopen?: (opts: { readOnly: boolean }) => Promise<void>;
  /** Runs after the last commit, before the file closes or the image becomes read-only. */
  readonly beforeClose?: () => Promise<void>;
}
