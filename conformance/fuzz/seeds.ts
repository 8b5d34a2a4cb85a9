/** Small images with every structure of their format, to be damaged. */
import type { BlockNode, FormatHost } from "@mimus/block";
import { portable } from "@mimus/compress";
import { type SlotKey, slotKey, unlockLuks } from "@mimus/crypto";
import { nodeCodecs } from "@mimus/host-node";
import { CONTENT, FormatRig, type RigOptions } from "@mimus/testkit";
import { luksWith } from "../../packages/block-luks/src/format.ts";
import { formatNamed, PLUGINS, type Variant, VARIANTS } from "../block/formats.ts";
import { knownCodecs } from "./known-codecs.ts";
import { packedImages } from "./packed-images.ts";

/** An image: its files, the image itself first. */
export type Seed = ReadonlyMap<string, Uint8Array>;

const SIZE = 256 * 1024;
/** Further ways to make images, which only parsers care for. */
export const MORE: readonly Variant[] = [
  {
    format: "qcow2",
    name: "backing",
    create: { cluster_size: 4096, backing_file: "base.img", backing_fmt: "raw" },
  },
  { format: "qcow2", name: "data file", create: { data_file: "disk.data", data_file_raw: true, cluster_size: 4096 } },
  { format: "qcow2", name: "preallocated", create: { cluster_size: 512, preallocation: "metadata" } },
  { format: "qcow2", name: "1-bit refcounts", create: { cluster_size: 512, refcount_bits: 1 } },
  ...[
    { "cipher-alg": "aes-128", "cipher-mode": "cbc", "ivgen-alg": "essiv", "ivgen-hash-alg": "sha256" },
    { "cipher-alg": "cast5-128", "cipher-mode": "cbc", "ivgen-alg": "plain", "hash-alg": "sha1" },
    { "cipher-alg": "twofish-128", "cipher-mode": "ctr", "hash-alg": "sha512" },
  ].map((how) => ({
    format: "luks",
    name: how["cipher-alg"],
    create: { ...how, "key-secret": "s0", "iter-time": 10 },
    open: { "key-secret": "s0" },
  })),
];

/** Ways whose images differ from others by the size of their clusters alone: a run would mostly copy zeroes. */
const LARGE: ReadonlySet<string> = new Set(["metadata preallocated", "64k clusters"]);

/** Our own decoders, not those of the host, and keys that cost nothing. */
export const QUICK_HOST: Partial<FormatHost> = { codecs: knownCodecs({ ...nodeCodecs, ...portable }), pbkdf2: quick };

/** The rig of a format for fuzzing: no real key derivation, so that keys cost nothing. */
async function rigOptions(v: Variant): Promise<RigOptions> {
  return {
    format: await formatNamed(v.format),
    create: v.create,
    size: SIZE,
    plugins: PLUGINS.filter((p) => p.name !== "@mimus/block"),
    filename: "disk.img",
    host: QUICK_HOST,
    ...(v.open === undefined ? {} : { open: v.open }),
  };
}

/** A "key derivation" that ignores its iterations. */
async function quick(
  _hash: string,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array> {
  if (length > 1 << 20) throw new TypeError(`a key of ${length} bytes was asked for`);
  let sum = password.length + iterations * 0;
  for (const byte of salt) sum = (Math.imul(sum, 31) + byte) | 0;
  return Uint8Array.from({ length }, (_, i) => (sum >>> (i % 24)) + i);
}

/** One of so many key slots is deciphered and merged as it should be: milliseconds. */
const MERGED = 1024;

/** LUKS whose key slots give a key at once: the first bytes of their material. What is read, checked and refused is the same. */
function quickLuks(options: RigOptions): RigOptions {
  let slots = 0;
  const keyOf: SlotKey = (header, slot, key, material) =>
    slots++ % MERGED === 0 ? slotKey(header, slot, key, material) : material.slice(0, header.keyBytes);
  const unlock: typeof unlockLuks = (io, header, name, password, host) =>
    unlockLuks(io, header, name, password, host, keyOf);
  const plugins = (options.plugins ?? []).filter((p) => p.name !== "@mimus/block-luks");
  return { ...options, format: luksWith(unlock), plugins };
}

/** Images of a format: one of each way to make it, or made by hand for formats that are only read. */
export async function seedsOf(name: string): Promise<{ readonly rig: FormatRig; readonly seeds: readonly Seed[] }> {
  // Without its key an image of LUKS is a header.
  const format = name === "luks-key" ? "luks" : name;
  const packed = await packedImages(format, packedDisk);
  const ways = [...waysOf(format), ...MORE.filter((v) => v.format === format)].filter((v) => !LARGE.has(v.name));
  const seeds = [...packed];
  for (const v of ways) seeds.push(await madeSeed(v));
  const [first = { format, name: format, create: {} }] = ways;
  const options = await rigOptions(first);
  if (name === "luks") return { rig: new FormatRig({ ...options, open: {} }), seeds };
  if (name === "luks-key") return { rig: new FormatRig(quickLuks(options)), seeds };
  return { rig: new FormatRig(options), seeds };
}

/** The ways to make images of a format that long runs go through. */
export function waysOf(format: string): Variant[] {
  return VARIANTS.filter((v) => v.format === format);
}

/** A compressed disk, as archives hold them. */
async function packedDisk(): Promise<Uint8Array> {
  const files = await madeSeed({ format: "vmdk", name: "", create: { subformat: "streamOptimized" } });
  return files.get("disk.img") ?? new Uint8Array(0);
}

/** An image with data, zeroes, a snapshot and a bitmap where its format has them. `beside`: files that it stands on; `crashed`: it was never closed */
export async function madeSeed(v: Variant, beside: Seed = new Map(), crashed = false): Promise<Seed> {
  const rig = new FormatRig(await rigOptions(v));
  rig.files.recording = false;
  for (const [name, bytes] of beside) {
    const file = await rig.files.open(name, { writable: true, create: true });
    await file.write(0, bytes);
    await file.close();
  }
  if (v.create["backing_file"] === "base.img") (await rig.files.open("base.img", { writable: true, create: true })).truncate(SIZE); // prettier-ignore
  await rig.create();
  let node = await rig.open();
  await fill(node);
  if (crashed) {
    await node.flush();
    rig.abandon();
    return contentsOf(rig);
  }
  const { image } = node;
  await image?.bitmaps?.add("bits", 65536, true).catch(() => undefined);
  await image?.snapshots
    ?.create({ name: "first", vmStateSize: 0, dateSec: 1, dateNsec: 0, vmClockNs: 0 })
    .catch(() => undefined);
  await rig.close();
  node = await rig.open();
  await node.write(40_000, new Uint8Array(3000).fill(CONTENT));
  const unit = node.image?.clusterSize ?? 65536;
  const at = Math.floor(150_000 / unit) * unit;
  if (node.size >= at + unit)
    await node.image?.writeCompressed?.(at, new Uint8Array(unit).fill(CONTENT)).catch(() => undefined);
  await rig.close();
  return contentsOf(rig);
}

/** The files, the image first. */
function contentsOf(rig: FormatRig): Seed {
  const all = rig.contents();
  const image0 = all.get(rig.filename) ?? new Uint8Array(0);
  all.delete(rig.filename);
  return new Map([[rig.filename, image0], ...all]);
}

async function fill(node: BlockNode): Promise<void> {
  for (const [at, length] of [
    [0, 1000],
    [70_000, 5000],
    [200_000, 600],
  ] as const)
    await node.write(at, new Uint8Array(length).fill(CONTENT));
  await node.writeZeroes?.(100_000, 20_000, true);
}
