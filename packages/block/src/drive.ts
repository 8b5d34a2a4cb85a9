import { lazy, onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import type { BlockBackend, ErrorPolicy } from "./backend.ts";
import { BlockError } from "./errors.ts";
import type { BlockGraph } from "./graph.ts";
import { nest } from "./options.ts";
import { BUCKETS, parseLimits } from "./throttle.ts";
import type { ThrottleLimits } from "./throttle.ts";

/** One -drive option after it was opened: where the machine plugs it, and its backend. */
export interface Drive {
  readonly id: string;
  /** "none", "virtio", "ide", "scsi", "floppy", "pflash", "sd", "mtd". */
  readonly interface: string;
  readonly bus: number | undefined;
  readonly unit: number | undefined;
  /** Number among the drives of this interface; undefined = the next free one. */
  readonly index: number | undefined;
  readonly media: "disk" | "cdrom";
  readonly backend: BlockBackend;
}

/** What the machine adds to every -drive. */
export interface DriveDefaults {
  /** Interface of a drive that names none. */
  readonly interface: string;
  /** -snapshot was given. */
  readonly snapshot: boolean;
  /** Most bytes of memory for one temporary layer. */
  readonly overlayLimit?: number;
}

const INTERFACES = ["none", "ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen"] as const;
const CACHE: Readonly<Record<string, { direct: boolean; noFlush: boolean; writeback: boolean }>> = {
  writeback: { direct: false, noFlush: false, writeback: true },
  none: { direct: true, noFlush: false, writeback: true },
  unsafe: { direct: false, noFlush: true, writeback: true },
  directsync: { direct: true, noFlush: false, writeback: false },
  writethrough: { direct: false, noFlush: false, writeback: false },
};
const policy = lazy(() => z.enum(["report", "stop", "enospc", "ignore"]));

const driveOptions = lazy(() =>
  z.looseObject({
    file: z.unknown().optional(),
    if: z.enum(INTERFACES).optional(),
    bus: u32.optional(),
    unit: u32.optional(),
    index: u32.optional(),
    media: z.enum(["disk", "cdrom"]).default("disk"),
    id: z
      .string()
      .regex(/^[a-z][\w.-]*$/i, "expected an identifier: letters, digits, '-', '.' and '_' behind a letter")
      .optional(),
    format: z.string().min(1, "expected the name of a format").optional(),
    driver: z.string().min(1, "expected the name of a driver").optional(),
    snapshot: onOff.optional(),
    readonly: onOff.optional(),
    "read-only": onOff.optional(),
    cache: z.unknown().optional(),
    aio: z.enum(["threads", "native", "io_uring"]).optional(),
    werror: policy().default("enospc"),
    rerror: policy().exclude(["enospc"]).default("report"),
    "copy-on-read": onOff.default(false),
  }),
);
const own = lazy(() => new Set(Object.keys(driveOptions().shape)));

/** Options of older versions, or of parts that are not there: what to say instead. */
function refuse(options: Readonly<Record<string, unknown>>): void {
  for (const key of Object.keys(options)) {
    if (["serial", "cyls", "heads", "secs", "trans", "addr"].includes(key))
      throw new BlockError(
        "bad-option",
        `-drive takes no '${key}': it belongs to the device. Use -device DEVICE,drive=ID,${key}=VALUE`,
      );
  }
}

/** Options that say the same, or exclude each other. */
const EITHER: readonly (readonly [string, string])[] = [
  ["format", "driver"],
  ["readonly", "read-only"],
  ["index", "bus"],
  ["index", "unit"],
];

function refuseBoth(options: Readonly<Record<string, unknown>>): void {
  for (const [one, other] of EITHER)
    if (options[one] !== undefined && options[other] !== undefined)
      throw new BlockError("bad-option", `-drive: ${one}= and ${other}= exclude each other`);
}

/**
 * Opens a -drive: protocol node, format node, temporary layer if asked, and a backend with its policies.
 * `text` options are as the command line gives them ("file", "if", "format", "cache", "file.locking", ...).
 */
export async function openDrive(
  graph: BlockGraph,
  text: Readonly<Record<string, unknown>>,
  defaults: DriveDefaults,
): Promise<Drive> {
  refuse(text);
  const { file, ...others } = text;
  const nested = nest(others);
  const parsed = driveOptions().safeParse({ ...nested, ...(typeof file === "object" ? { file } : {}) });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new BlockError(
      "bad-option",
      `-drive: option '${issue?.path.join(".") ?? "?"}': ${issue?.message ?? "invalid"}`,
    );
  }
  const o = parsed.data;
  refuseBoth(o);
  const { limits, group, rest: unlimited } = throttling(o);
  const itf = o.if ?? defaults.interface;
  const id = o.id ?? nameFor(graph, itf, o.media, o.index ?? o.unit);
  const filename = typeof file === "string" ? file : undefined;
  const fileOptions = typeof o.file === "object" && o.file !== null ? (o.file as Record<string, unknown>) : undefined;
  const cache = cacheOf(o.cache);
  const common = {
    interface: itf,
    id,
    bus: o.bus,
    unit: o.unit,
    index: o.index,
    media: o.media,
  };
  const hasSource =
    (filename !== undefined && filename !== "") || fileOptions !== undefined || hasDriverSource(o.driver);
  if (!hasSource) {
    if (itf === "pflash" || itf === "mtd") throw new BlockError("bad-option", `-drive if=${itf} needs file=`);
    const backend = configured(graph.addBackend(id), o.werror, o.rerror, cache.writeback);
    graph.setThrottle(backend, limits, group);
    return { ...common, backend };
  }
  const snapshot = o.snapshot ?? (defaults.snapshot && o.media !== "cdrom");
  const readOnly = o.readonly ?? o["read-only"] ?? o.media === "cdrom";
  const rest = Object.fromEntries(Object.entries(unlimited).filter(([k]) => !own().has(k)));
  const options = {
    ...rest,
    ...(o.format !== undefined || o.driver !== undefined ? { driver: o.format ?? o.driver } : {}),
    "read-only": readOnly || snapshot,
    "auto-read-only": o["auto-read-only"] ?? true,
    cache: { direct: cache.direct, "no-flush": cache.noFlush },
    ...(fileOptions ? { file: fileOptions } : {}),
  };
  let node =
    filename === undefined && fileOptions === undefined
      ? await graph.open(options, { use: "device" })
      : await graph.openFile(filename ?? String(fileOptions?.["filename"] ?? ""), options, { use: "device" });
  if (snapshot && !readOnly) node = await graph.overlay(node, defaults.overlayLimit);
  try {
    if (o["copy-on-read"] && !node.readOnly) node = await graph.filter(node, { driver: "copy-on-read" });
    const backend = configured(graph.addBackend(id), o.werror, o.rerror, cache.writeback);
    graph.give(backend, node);
    graph.setThrottle(backend, limits, group);
    return { ...common, backend };
  } catch (e) {
    await graph.close(node.name);
    throw e;
  }
}

/** Splits off `throttling.bps-total=`, `throttling.group=` and the older `bps=`, `iops_rd_max=`. */
function throttling(o: Readonly<Record<string, unknown>>): {
  limits: ThrottleLimits;
  group: string | undefined;
  rest: Record<string, unknown>;
} {
  const rest: Record<string, unknown> = {};
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(o)) {
    if (key === "throttling" && typeof value === "object" && value !== null) Object.assign(found, value);
    else if (/^(bps|iops)(_|$)/.test(key)) found[modern(key)] = value;
    else rest[key] = value;
  }
  const { group, ...limits } = found;
  const known = new Set(["iops-size", ...BUCKETS.flatMap((b) => [b, `${b}-max`, `${b}-max-length`])]);
  for (const key of Object.keys(limits))
    if (!known.has(key)) throw new BlockError("bad-option", `-drive: Invalid parameter 'throttling.${key}'`);
  const parsed = parseLimits(limits, (key) => key);
  return { limits: parsed, group: typeof group === "string" ? group : undefined, rest };
}

/** "bps" = "bps-total", "iops_rd_max" = "iops-read-max". */
function modern(key: string): string {
  if (key === "iops_size") return "iops-size";
  const [unit = "", way, ...tail] = key.split("_");
  if (way === "rd" || way === "wr") return [unit, way === "rd" ? "read" : "write", ...tail].join("-");
  return [unit, "total", ...(way === undefined ? [] : [way, ...tail])].join("-");
}

function hasDriverSource(driver: string | undefined): boolean {
  return driver === "null-co" || driver === "null-aio";
}

function configured(b: BlockBackend, werror: ErrorPolicy, rerror: ErrorPolicy, writeback: boolean): BlockBackend {
  b.werror = werror;
  b.rerror = rerror;
  b.writeCache = writeback;
  return b;
}

function cacheOf(given: unknown): { direct: boolean; noFlush: boolean; writeback: boolean } {
  if (given === undefined) return { direct: false, noFlush: false, writeback: true };
  if (typeof given === "string") {
    const mode = CACHE[given];
    if (mode) return mode;
    throw new BlockError("bad-option", `-drive cache=${given}: one of ${Object.keys(CACHE).join(", ")}`);
  }
  const o = z
    .strictObject({ direct: onOff.default(false), "no-flush": onOff.default(false), writeback: onOff.default(true) })
    .safeParse(given);
  if (!o.success) throw new BlockError("bad-option", "-drive cache.*: direct, no-flush, writeback, each on or off");
  return { direct: o.data.direct, noFlush: o.data["no-flush"], writeback: o.data.writeback };
}

/** The id that a drive gets when it has none: "virtio0", "ide0-hd1", "none0". */
function nameFor(graph: BlockGraph, itf: string, media: string, index: number | undefined): string {
  const taken = new Set([...graph.backends()].map((b) => b.id));
  for (let n = index ?? 0; ; n++) {
    const perBus = itf === "ide" ? 2 : itf === "scsi" ? 7 : 0;
    const kind = media === "cdrom" ? "-cd" : itf === "floppy" ? "" : "-hd";
    const name = perBus > 0 ? `${itf}${Math.floor(n / perBus)}${kind}${n % perBus}` : `${itf}${n}`;
    if (!taken.has(name)) return name;
  }
}
