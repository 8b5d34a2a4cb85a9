import type { BlockBackend, BlockStats, GraphNode } from "@mimus/block";
import { backingOf, skipFilters, snapshotJson } from "@mimus/block";
import { z } from "zod";
import type { BlockCommand, BlockControl } from "./context.ts";
import { writeThreshold } from "./threshold.ts";
import { backendOf, command } from "./context.ts";

type Reply = Record<string, unknown>;

/** `ImageInfo` of a node, with its backing chain unless `flat`. Source: QEMU 7.2, qapi/block-core.json. */
export async function imageInfo(control: BlockControl, node: GraphNode, flat: boolean): Promise<Reply> {
  const image = skipFilters(node);
  const info = await image.image?.info?.();
  const snapshots = await image.image?.snapshots?.list();
  const below = backingOf(image);
  const actual = image.filename === "" ? undefined : await control.allocated?.(image.filename);
  return {
    ...(below && !flat ? { "backing-image": await imageInfo(control, below, false) } : {}),
    "virtual-size": image.size,
    filename: image.filename,
    ...(image.image?.clusterSize === undefined ? {} : { "cluster-size": image.image.clusterSize }),
    format: image.driver,
    ...(actual === undefined ? {} : { "actual-size": actual }),
    ...(info?.specific ? { "format-specific": { type: info.specific.type, data: info.specific.data } } : {}),
    ...(info?.encrypted ? { encrypted: true } : {}),
    ...(info?.compressed ? { compressed: true } : {}),
    ...(info?.backingFile === undefined ? {} : { "backing-filename": info.backingFile }),
    ...(info?.backingFile === undefined || !below ? {} : { "full-backing-filename": below.filename }),
    ...(info?.backingFormat === undefined ? {} : { "backing-filename-format": info.backingFormat }),
    ...(snapshots && snapshots.length > 0
      ? {
          snapshots: snapshots.map(snapshotJson),
        }
      : {}),
    "dirty-flag": info?.dirty ?? false,
  };
}

/** `BlockDeviceInfo` of a node. */
async function deviceInfo(
  control: BlockControl,
  node: GraphNode,
  backend: BlockBackend | undefined,
  flat: boolean,
): Promise<Reply> {
  let depth = 0;
  for (let below = backingOf(node); below; below = backingOf(below)) depth++;
  const below = backingOf(node);
  const bitmaps = control.graph.bitmaps.list(node).toReversed(); // the newest first
  return {
    iops_rd: 0,
    detect_zeroes: node.options.detectZeroes,
    image: await imageInfo(control, node, flat),
    iops_wr: 0,
    ro: node.readOnly,
    "node-name": node.name,
    backing_file_depth: depth,
    drv: node.driver,
    iops: 0,
    bps_wr: 0,
    write_threshold: writeThreshold(node),
    ...(below ? { backing_file: below.filename } : {}),
    encrypted: (await skipFilters(node).image?.info?.())?.encrypted ?? false,
    bps: 0,
    bps_rd: 0,
    cache: {
      "no-flush": node.options.noFlush,
      direct: node.options.direct ?? false,
      writeback: backend?.writeCache ?? true,
    },
    file: node.filename,
    ...throttleInfo(backend),
    ...(bitmaps.length > 0 ? { "dirty-bitmaps": bitmaps.map(bitmapInfo) } : {}),
  };
}

/** `BlockDirtyInfo`. */
function bitmapInfo(b: ReturnType<BlockControl["graph"]["bitmaps"]["list"]>[number]): Reply {
  return {
    name: b.name,
    recording: b.enabled,
    persistent: b.persistent,
    busy: b.busy,
    granularity: b.granularity,
    count: b.bits.bytes,
    ...(b.inconsistent ? { inconsistent: true } : {}),
  };
}

const SHORT: Readonly<Record<string, string>> = { total: "", read: "_rd", write: "_wr" };

function throttleInfo(backend: BlockBackend | undefined): Reply {
  if (!backend?.throttle) return {};
  const out: Reply = { group: backend.throttle.name };
  const { buckets, iopsSize } = backend.throttle.limits;
  for (const [name, bucket] of Object.entries(buckets)) {
    const [unit = "", way = ""] = name.split("-");
    const key = `${unit}${SHORT[way] ?? ""}`;
    out[key] = bucket.avg;
    if (bucket.max > 0) Object.assign(out, { [`${key}_max`]: bucket.max, [`${key}_max_length`]: bucket.length });
  }
  if (iopsSize > 0) out["iops_size"] = iopsSize;
  return out;
}

async function driveInfo(control: BlockControl, backend: BlockBackend): Promise<Reply> {
  const device = control.device?.(backend.id);
  const node = backend.node && control.graph.node(backend.node.name);
  const status = backend.owner === undefined ? undefined : backend.ioStatus;
  return {
    ...(status === undefined ? {} : { "io-status": status }),
    device: backend.anonymous ? "" : backend.id,
    locked: device?.locked ?? false,
    removable: device?.removable ?? backend.owner === undefined,
    ...(node ? { inserted: await deviceInfo(control, node, backend, false) } : {}),
    ...(backend.owner === undefined ? {} : { qdev: device?.qdev ?? backend.owner }),
    ...(device?.trayOpen === undefined ? {} : { tray_open: device.trayOpen }),
    type: "unknown",
  };
}

function deviceStats(s: BlockStats | undefined, now: number): Reply {
  return {
    flush_total_time_ns: Math.round(s?.flushTimeNs ?? 0),
    wr_highest_offset: s?.highestWrite ?? 0,
    wr_total_time_ns: Math.round(s?.writeTimeNs ?? 0),
    failed_wr_operations: s?.failedWrites ?? 0,
    failed_rd_operations: s?.failedReads ?? 0,
    wr_merged: 0,
    wr_bytes: s?.writeBytes ?? 0,
    timed_stats: [],
    failed_unmap_operations: s?.failedDiscards ?? 0,
    failed_flush_operations: s?.failedFlushes ?? 0,
    account_invalid: s !== undefined,
    rd_total_time_ns: Math.round(s?.readTimeNs ?? 0),
    invalid_unmap_operations: 0,
    flush_operations: s?.flushOps ?? 0,
    wr_operations: s?.writeOps ?? 0,
    unmap_bytes: s?.discardBytes ?? 0,
    rd_merged: 0,
    rd_bytes: s?.readBytes ?? 0,
    unmap_total_time_ns: Math.round(s?.discardTimeNs ?? 0),
    unmap_merged: 0,
    invalid_flush_operations: 0,
    account_failed: s !== undefined,
    ...(s && s.lastAccess > 0 ? { idle_time_ns: Math.round(Math.max(0, now - s.lastAccess) * 1e6) } : {}),
    rd_operations: s?.readOps ?? 0,
    invalid_wr_operations: 0,
    unmap_operations: s?.discardOps ?? 0,
    invalid_rd_operations: 0,
  };
}

function nodeStats(control: BlockControl, node: GraphNode, backend: BlockBackend | undefined): Reply {
  const file = node.edges.get("file")?.target;
  const below = node.edges.get("backing")?.target;
  return {
    "node-name": node.name,
    ...(file ? { parent: nodeStats(control, file, undefined) } : {}),
    ...(below ? { backing: nodeStats(control, below, undefined) } : {}),
    stats: deviceStats(backend?.stats, control.graph.clock?.now() ?? 0),
  };
}

/** Drives, and nodes that a device has. */
function shown({ graph }: BlockControl): BlockBackend[] {
  return [...graph.backends()].filter((b) => !b.anonymous || b.owner !== undefined);
}

const none = z.strictObject({});

/** Queries about drives and nodes. */
export const INFO_COMMANDS: readonly BlockCommand[] = [
  command("query-block", none, async (control) => {
    const out: Reply[] = [];
    for (const backend of shown(control)) out.push(await driveInfo(control, backend));
    return out;
  }),
  command("query-named-block-nodes", z.strictObject({ flat: z.boolean().optional() }), async (control, { flat }) => {
    const out: Reply[] = [];
    for (const node of [...control.graph.nodes()].toReversed())
      out.push(await deviceInfo(control, node, backendOf(control, node), flat ?? false));
    return out;
  }),
  command("query-blockstats", z.strictObject({ "query-nodes": z.boolean().optional() }), (control, args) => {
    if (args["query-nodes"]) return [...control.graph.nodes()].map((n) => nodeStats(control, n, undefined));
    return shown(control).map((b) => ({
      device: b.anonymous ? "" : b.id,
      ...(b.owner === undefined ? {} : { qdev: control.device?.(b.id)?.qdev ?? b.owner }),
      ...(b.node
        ? nodeStats(control, control.graph.node(b.node.name), b)
        : { stats: deviceStats(b.stats, control.graph.clock?.now() ?? 0) }),
    }));
  }),
];
