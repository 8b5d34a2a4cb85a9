import { identifier, lazy, onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import type { ErrorPolicy } from "./backend.ts";
import { BlockError } from "./errors.ts";
import { parse } from "./node-options.ts";
import { nest } from "./options.ts";
import { BUCKETS, parseLimits } from "./throttle.ts";
import type { ThrottleLimits } from "./throttle.ts";

/** How a drive's cache and its file's are used, by the words of `cache=`. */
interface Caching {
  readonly direct: boolean;
  readonly noFlush: boolean;
  readonly writeback: boolean;
}

/** What one -drive says about itself; the rest is for the node that it opens. */
export interface DriveOptions {
  readonly interface: string | undefined;
  readonly id: string | undefined;
  readonly bus: number | undefined;
  readonly unit: number | undefined;
  readonly index: number | undefined;
  readonly media: "disk" | "cdrom";
  readonly filename: string | undefined;
  /** Options of the protocol node below (`file.locking=...`). */
  readonly file: Readonly<Record<string, unknown>> | undefined;
  readonly driver: string | undefined;
  readonly snapshot: boolean | undefined;
  readonly readOnly: boolean;
  readonly cache: Caching;
  readonly werror: ErrorPolicy;
  readonly rerror: ErrorPolicy;
  readonly copyOnRead: boolean;
  readonly limits: ThrottleLimits;
  readonly throttleGroup: string | undefined;
  /** Options of the node. */
  readonly node: Readonly<Record<string, unknown>>;
}

const INTERFACES = ["none", "ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen"] as const;
const CACHE: Readonly<Record<string, Caching>> = {
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
    id: identifier.optional(),
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

/** Reads the options of a -drive as the command line gives them ("file", "if", "format", "cache", "file.locking", ...). @throws BlockError "bad-option" */
export function parseDrive(text: Readonly<Record<string, unknown>>): DriveOptions {
  refuse(text);
  const { file, ...others } = text;
  const o = parse(driveOptions(), { ...nest(others), ...(typeof file === "object" ? { file } : {}) }, "-drive");
  refuseBoth(o);
  const { limits, group, rest } = throttling(o);
  return {
    interface: o.if,
    id: o.id,
    bus: o.bus,
    unit: o.unit,
    index: o.index,
    media: o.media,
    filename: typeof file === "string" && file !== "" ? file : undefined,
    file: typeof o.file === "object" && o.file !== null ? (o.file as Record<string, unknown>) : undefined,
    driver: o.format ?? o.driver,
    snapshot: o.snapshot,
    readOnly: o.readonly ?? o["read-only"] ?? o.media === "cdrom",
    cache: cacheOf(o.cache),
    werror: o.werror,
    rerror: o.rerror,
    copyOnRead: o["copy-on-read"],
    limits,
    throttleGroup: group,
    node: Object.fromEntries(Object.entries(rest).filter(([k]) => !own().has(k))),
  };
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

const cacheOptions = lazy(() =>
  z.strictObject({ direct: onOff.default(false), "no-flush": onOff.default(false), writeback: onOff.default(true) }),
);

function cacheOf(given: unknown): Caching {
  if (given === undefined) return { direct: false, noFlush: false, writeback: true };
  if (typeof given === "string") {
    const mode = CACHE[given];
    if (mode) return mode;
    throw new BlockError("bad-option", `-drive cache=${given}: one of ${Object.keys(CACHE).join(", ")}`);
  }
  const o = parse(cacheOptions(), given, "-drive cache", "-drive cache has no option");
  return { direct: o.direct, noFlush: o["no-flush"], writeback: o.writeback };
}
