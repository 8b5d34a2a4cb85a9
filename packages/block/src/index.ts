import type { Plugin, TypeSpec } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { blkdebug } from "./filters/blkdebug.ts";
import { blklogwrites } from "./filters/blklogwrites.ts";
import { blkverify } from "./filters/blkverify.ts";
import { compress } from "./filters/compress.ts";
import { copyOnRead } from "./filters/copy-on-read.ts";
import { preallocate } from "./filters/preallocate.ts";
import { throttle } from "./filters/throttle.ts";
import { throttleGroup } from "./throttle.ts";
import { file, hostCdrom, hostDeviceProtocol, nullAio, nullCo } from "./protocol.ts";
import { raw } from "./raw.ts";

export { BlockBackend } from "./backend.ts";
export type { BlockStats, ErrorPolicy, IoErrorEvent } from "./backend.ts";
export { COMPRESSED, UNALLOCATED, ZEROES } from "./cluster-map.ts";
export type { ClusterMap, ClusterNodeOptions } from "./cluster-map.ts";
export { CheckFindings } from "./check-findings.ts";
export { ChunkCache } from "./chunk-cache.ts";
export { ClusterNode } from "./cluster-node.ts";
export { MappedNode } from "./mapped-node.ts";
export { FirstWrite } from "./first-write.ts";
export { openDrive } from "./drive.ts";
export type { Drive, DriveDefaults } from "./drive.ts";
export type { Codecs } from "@mimus/compress";
export { asBlockError, BlockError, oneLine } from "./errors.ts";
export type { BlockErrorKind } from "./errors.ts";
export { FaultyFile, hostError } from "./faulty-file.ts";
export type { FileCall, Fault } from "./faulty-file.ts";
export { Fields } from "./fields.ts";
export { FileNode } from "./file-node.ts";
export type { FileNodeOptions } from "./file-node.ts";
export { snapshotJson } from "./snapshot-json.ts";
export { defineFormat, probe, PROBE_BYTES } from "./format.ts";
export type {
  BlockFormat,
  CreateContext,
  CreateImage,
  FormatContext,
  FormatHost,
  FormatOps,
  FormatSpec,
  MeasureImage,
} from "./format.ts";
export type { CreateFileOptions } from "./create-file.ts";
export { Edge } from "./edge.ts";
export { defineFilter } from "./filter.ts";
export type { BlockFilter, FilterContext, FilterOps } from "./filter.ts";
export { FilterNode } from "./filter-node.ts";
export { BlockGraph } from "./graph.ts";
export type { OpenAs } from "./graph.ts";
export type { BlockHost } from "./opener.ts";
export { GraphNode } from "./graph-node.ts";
export type { NodeOptions, WriteHook } from "./graph-node.ts";
export { lockFor, PERMISSION, permissionName } from "./lock.ts";
export type { LockRequest, LockUse } from "./lock.ts";
export type {
  HostChanges,
  HostDirectory,
  HostEntry,
  HostHandle,
  HostSpace,
  HostStat,
  HostTime,
  OpenMode,
} from "./host-directory.ts";
export type { HostFile, HostFiles } from "./host-file.ts";
export type {
  BitmapInfo,
  BitmapOps,
  CheckRepair,
  CheckReport,
  ImageInfo,
  ImageOps,
  Measure,
  SnapshotInfo,
  SnapshotOps,
} from "./image-ops.ts";
export { MemoryFile, MemoryFiles } from "./memory-file.ts";
export { Mutex } from "./mutex.ts";
export { isZero, MAX_TRANSFER, totalLength, zeroRange } from "./node.ts";
export type { BlockNode } from "./node.ts";
export { NullNode } from "./null-node.ts";
export { createImage, openImage } from "./open-image.ts";
export type { CreateImageOptions, OpenImageOptions } from "./open-image.ts";
export { driverOptions } from "./driver-options.ts";
export type { DriverOptions } from "./driver-options.ts";
export { nest } from "./options.ts";
export { OverlayNode } from "./overlay.ts";
export { protocolOf, resolveBeside } from "./paths.ts";
export { defineProtocol, file } from "./protocol.ts";
export type { BlockProtocol, ProtocolContext, ProtocolOps } from "./protocol.ts";
export { ReadOnlyNode } from "./read-only-node.ts";
export { PROBE_GUARD, raw, RawNode } from "./raw.ts";
export { TableCache } from "./table-cache.ts";
export { takeSpace } from "./take-space.ts";
export type { Preallocation } from "./take-space.ts";
export type { TablePiece, TableWriter } from "./table-cache.ts";
export { SectorNode } from "./sector-node.ts";
export type { OwnSectors, SectorMap } from "./sector-node.ts";
export { chainStatus, chainStatusNow, ownStatus, readsZero } from "./chain-status.ts";
export type { ChainStatus } from "./chain-status.ts";
export { statusOf } from "./status.ts";
export type { BlockStatus } from "./status.ts";

export * from "./jobs/index.ts";
export { Bitmaps } from "./bitmaps.ts";
export { backingOf, chainOf, skipFilters } from "./chain.ts";
export { Bitmap, DirtyBitmap } from "./dirty-bitmap.ts";
export { snapshotAction } from "./snapshot.ts";
export { transact, type Action } from "./transaction.ts";
export { BUCKETS, parseLimits, ThrottleGroup } from "./throttle.ts";
export type { Bucket, BucketName, ThrottleClock, ThrottleLimits } from "./throttle.ts";
export { Lanes } from "./lanes.ts";
export { RangeLock } from "./range-lock.ts";

const filters: readonly TypeSpec[] = [throttle, copyOnRead, blkdebug, blkverify, compress, preallocate, blklogwrites];

/** The formats, protocols and filters that every machine has. */
const plugin: Plugin = definePlugin({
  name: "@mimus/block",
  types: [raw, file, hostDeviceProtocol, hostCdrom, nullCo, nullAio, ...filters, throttleGroup],
});
export default plugin;
