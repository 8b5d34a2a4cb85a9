import { BlockError } from "@mimus/block";
import { complaint, lazy, onOff, size as byteCount, u64 } from "@mimus/qom";
import { z } from "zod";
import type { Tuning } from "./image.ts";
import type { Structure } from "./overlap.ts";
import { STRUCTURES, watchedBy } from "./overlap.ts";

type Template = "none" | "constant" | "cached" | "all";

const template: () => z.ZodType<Template> = lazy(() => z.enum(["none", "constant", "cached", "all"]));
const watched = lazy(() => z.record(z.string(), onOff));

/** Options of `-blockdev driver=qcow2`. */
export const openOptions: () => z.ZodObject = lazy(() =>
  z.strictObject({
    "lazy-refcounts": onOff.optional().describe("postpone refcount updates"),
    "pass-discard-request": onOff.optional().describe("give space that the guest discarded back to the host"),
    "pass-discard-snapshot": onOff.default(true).describe("give space of deleted snapshots back to the host"),
    "pass-discard-other": onOff.default(false).describe("give any other freed space back to the host"),
    "discard-no-unref": onOff.default(false).describe("discarded clusters keep their place"),
    "overlap-check": z
      .union([template(), z.looseObject({ template: template().optional() })])
      .default("cached")
      .describe("which metadata are watched: none, constant, cached or all"),
    "cache-size": byteCount.optional().describe("bytes of L2 tables and refcounts kept in memory"),
    "l2-cache-size": byteCount.optional().describe("bytes of L2 tables kept in memory; default 32 MiB at most"),
    "l2-cache-entry-size": byteCount.optional().describe("bytes read of an L2 table at once; a power of two from 512"),
    "refcount-cache-size": byteCount.optional().describe("bytes of refcounts kept in memory"),
    "cache-clean-interval": u64.default(600).describe("accepted; unused tables leave memory when others need the room"),
    encrypt: z
      .strictObject({ format: z.enum(["aes", "luks"]).optional(), "key-secret": z.string().optional() })
      .optional()
      .describe("the secret that opens an encrypted image"),
  }),
);

/** Parsed options of an open image. */
export interface OpenOptions {
  readonly "lazy-refcounts"?: boolean | undefined;
  readonly "pass-discard-request"?: boolean | undefined;
  readonly "pass-discard-snapshot": boolean;
  readonly "pass-discard-other": boolean;
  readonly "discard-no-unref": boolean;
  readonly "overlap-check": Template | Readonly<Record<string, unknown>>;
  readonly "cache-size"?: number | undefined;
  readonly "l2-cache-size"?: number | undefined;
  readonly "l2-cache-entry-size"?: number | undefined;
  readonly "refcount-cache-size"?: number | undefined;
  readonly "cache-clean-interval": number;
  readonly encrypt?:
    | { readonly format?: "aes" | "luks" | undefined; readonly "key-secret"?: string | undefined }
    | undefined;
}

/** What the options mean for an image. @throws BlockError "bad-option" */
export function tuningOf(
  o: OpenOptions,
  image: {
    clusterSize: number;
    size: number;
    fileSize: number;
    refcountBits: number;
    lazy: boolean;
    extended: boolean;
    discards: boolean;
  },
): Tuning {
  const { clusterSize, size, extended } = image;
  const slice = o["l2-cache-entry-size"] ?? Math.min(clusterSize, 1 << 16);
  if (slice < 512 || slice > clusterSize || !Number.isInteger(Math.log2(slice)))
    throw new BlockError(
      "bad-option",
      `L2 cache entry size ${slice} must be a power of two between 512 and the cluster size (${clusterSize})`,
    );
  const needed = Math.ceil((size / clusterSize) * (extended ? 16 : 8));
  const total = o["cache-size"];
  const l2 = o["l2-cache-size"];
  const refcount = o["refcount-cache-size"];
  if (total !== undefined && ((l2 ?? 0) > total || (refcount ?? 0) > total || (l2 ?? 0) + (refcount ?? 0) > total))
    throw new BlockError("bad-option", "l2-cache-size and refcount-cache-size may not exceed cache-size");
  // All refcounts of most images fit: random places cost no reads then.
  const counts = Math.ceil((image.fileSize / clusterSize) * (image.refcountBits / 8));
  const least = Math.max(4 * clusterSize, 1 << 18, Math.min(8 << 20, counts + 2 * clusterSize));
  const refcountBytes = refcount ?? (total === undefined ? least : Math.min(least, total));
  const l2Default = Math.min(32 << 20, Math.max(needed, 1 << 16));
  return {
    l2CacheBytes: l2 ?? (total === undefined ? l2Default : Math.max(0, total - refcountBytes)),
    l2SliceBytes: slice,
    refcountCacheBytes: refcountBytes,
    lazyRefcounts: o["lazy-refcounts"] ?? image.lazy,
    passDiscard: {
      request: o["pass-discard-request"] ?? image.discards,
      snapshot: o["pass-discard-snapshot"],
      other: o["pass-discard-other"],
      never: false,
    },
    discardNoUnref: o["discard-no-unref"],
    watched: watchedOf(o["overlap-check"]),
  };
}

function watchedOf(choice: OpenOptions["overlap-check"]): Set<Structure> {
  if (typeof choice === "string") return watchedBy(choice);
  const set = watchedBy((choice["template"] as Template | undefined) ?? "cached");
  const parsed = watched().safeParse(Object.fromEntries(Object.entries(choice).filter(([key]) => key !== "template")));
  if (!parsed.success)
    throw new BlockError("bad-option", `overlap-check: ${parsed.error.issues.map(complaint)[0] ?? "bad value"}`);
  for (const [key, on] of Object.entries(parsed.data)) {
    const name = STRUCTURES.find((s) => s === key);
    if (name === undefined)
      throw new BlockError("bad-option", `overlap-check has no '${key}'; it has ${STRUCTURES.join(", ")}`);
    if (on) set.add(name);
    else set.delete(name);
  }
  return set;
}

/** Options of `create -f qcow2`. */
export const createOptions: () => z.ZodObject = lazy(() =>
  z.strictObject({
    backing_file: z.string().optional().describe("File name of a base image"),
    backing_fmt: z.string().optional().describe("Image format of the base image"),
    cluster_size: byteCount.default(65536).describe("qcow2 cluster size"),
    compat: z.enum(["0.10", "1.1", "v2", "v3"]).default("1.1").describe("Compatibility level (v2 [0.10] or v3 [1.1])"),
    compression_type: z
      .enum(["zlib", "zstd"])
      .default("zlib")
      .describe("Compression method used for image cluster compression"),
    data_file: z.string().optional().describe("File name of an external data file"),
    data_file_raw: onOff.default(false).describe("The external data file must stay valid as a raw image"),
    "encrypt.cipher-alg": z.string().optional().describe("Name of encryption cipher algorithm"),
    "encrypt.cipher-mode": z.string().optional().describe("Name of encryption cipher mode"),
    "encrypt.format": z.enum(["aes", "luks"]).optional().describe("Encrypt the image, format choices: 'aes', 'luks'"),
    "encrypt.hash-alg": z.string().optional().describe("Name of encryption hash algorithm"),
    "encrypt.iter-time": u64.optional().describe("Time to spend in PBKDF in milliseconds"),
    "encrypt.ivgen-alg": z.string().optional().describe("Name of IV generator algorithm"),
    "encrypt.ivgen-hash-alg": z.string().optional().describe("Name of IV generator hash algorithm"),
    "encrypt.key-secret": z.string().optional().describe("ID of secret providing qcow AES key or LUKS passphrase"),
    encryption: onOff
      .default(false)
      .describe("Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)"),
    extended_l2: onOff.default(false).describe("Extended L2 tables"),
    lazy_refcounts: onOff.default(false).describe("Postpone refcount updates"),
    preallocation: z
      .enum(["off", "metadata", "falloc", "full"])
      .default("off")
      .describe("Preallocation mode (allowed values: off, metadata, falloc, full)"),
    refcount_bits: u64.default(16).describe("Width of a reference count entry in bits"),
  }),
);

/** Parsed options of a new image. */
export interface CreateOptions {
  readonly backing_file?: string | undefined;
  readonly backing_fmt?: string | undefined;
  readonly cluster_size: number;
  readonly compat: "0.10" | "1.1" | "v2" | "v3";
  readonly compression_type: "zlib" | "zstd";
  readonly data_file?: string | undefined;
  readonly data_file_raw: boolean;
  readonly "encrypt.format"?: "aes" | "luks" | undefined;
  readonly "encrypt.key-secret"?: string | undefined;
  readonly encryption: boolean;
  readonly extended_l2: boolean;
  readonly lazy_refcounts: boolean;
  readonly preallocation: "off" | "metadata" | "falloc" | "full";
  readonly refcount_bits: number;
  readonly [key: string]: unknown;
}

/** Keys that `amend` takes. */
export const AMEND_OPTIONS: readonly string[] = [
  "backing_file",
  "backing_fmt",
  "compat",
  "data_file",
  "data_file_raw",
  "encrypt.iter-time",
  "encrypt.keyslot",
  "encrypt.new-secret",
  "encrypt.old-secret",
  "encrypt.state",
  "lazy_refcounts",
  "refcount_bits",
  "size",
];
