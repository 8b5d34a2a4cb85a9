import { BlockError, statusOf } from "@mimus/block";
import type { BlockNode, BlockStatus } from "@mimus/block";
import { Counts } from "./check-counts.ts";
import * as c from "./constants.ts";
import { ciphers, luksPlace, luksStorage } from "./encryption.ts";
import { flushAll } from "./flush.ts";
import type { Image } from "./image.ts";
import type { Qcow2Node } from "./node.ts";
import { AMEND_OPTIONS } from "./options.ts";
import { rebuildRefcounts } from "./repair.ts";
import { eachUse, readL1 } from "./tree.ts";
import { readDirectory } from "./bitmap-directory.ts";
import { usedClusters } from "./bitmaps.ts";
import { writeL1 } from "./flush.ts";

type Options = Readonly<Record<string, unknown>>;
type Progress = (done: number, total: number) => void;

/** Changes options of an existing image, in the order that lets them go together. */
export async function amendImage(node: Qcow2Node, o: Options, progress?: Progress): Promise<void> {
  for (const key of Object.keys(o))
    if (o[key] !== undefined && !AMEND_OPTIONS.includes(key))
      throw new BlockError("bad-option", `Option '${key}' of an existing qcow2 image cannot be changed`);
  const { img } = node;
  const version = wantedVersion(o["compat"]) ?? img.header.version;
  const bits = (o["refcount_bits"] as number | undefined) ?? 2 ** img.header.refcountOrder;
  if (!Number.isInteger(Math.log2(bits)) || bits < 1 || bits > 64)
    throw new BlockError("bad-option", `refcount_bits ${bits} must be a power of two and may not exceed 64`);
  const lazy = o["lazy_refcounts"] as boolean | undefined;
  if (version === 2 && bits !== 16) throw new BlockError("bad-option", "refcount_bits must be 16 with compat=0.10");
  if (version === 2 && lazy === true) throw new BlockError("bad-option", "lazy_refcounts needs compat=1.1");
  if (o["data_file"] !== undefined && !img.external)
    throw new BlockError("bad-option", `'${img.filename}' has no external data file: data_file cannot be set`);
  if (o["data_file_raw"] === true && !img.dataFileRaw)
    throw new BlockError("bad-option", "data_file_raw cannot be set on existing images");
  if (o["encrypt.state"] !== undefined) await amendEncryption(node, o);
  if (version > img.header.version) await node.alone(() => upgrade(img));
  if (bits !== 2 ** img.header.refcountOrder) await node.alone(() => changeWidth(img, Math.log2(bits), progress));
  await node.alone(() => changeHeader(img, o, lazy));
  if (typeof o["size"] === "number") await node.resize(o["size"]);
  if (version < img.header.version) await downgrade(node, progress);
  progress?.(1, 1);
}

function wantedVersion(compat: unknown): 2 | 3 | undefined {
  if (compat === undefined) return undefined;
  if (compat === "0.10" || compat === "v2") return 2;
  if (compat === "1.1" || compat === "v3") return 3;
  throw new BlockError("bad-option", `compat '${String(compat)}' must be 0.10 (v2) or 1.1 (v3)`);
}

async function upgrade(img: Image): Promise<void> {
  img.header.version = 3;
  img.header.refcountOrder = 4;
  await img.switchHeader();
  img.map = img.makeMapping();
}

async function changeHeader(img: Image, o: Options, lazy: boolean | undefined): Promise<void> {
  const { header, ext } = img;
  if (lazy !== undefined) {
    const low = header.compatible[1] & ~c.COMPAT_LAZY_REFCOUNTS;
    header.compatible = [header.compatible[0], (low | (lazy ? c.COMPAT_LAZY_REFCOUNTS : 0)) >>> 0];
  }
  if (o["data_file_raw"] === false)
    header.autoclear = [header.autoclear[0], (header.autoclear[1] & ~c.AUTOCLEAR_DATA_FILE_RAW) >>> 0];
  if (o["data_file"] !== undefined) ext.dataFile = (o["data_file"] as string) || undefined;
  if (o["backing_file"] !== undefined || o["backing_fmt"] !== undefined) {
    const name = (o["backing_file"] as string | undefined) ?? ext.backingFile;
    if (name && img.dataFileRaw)
      throw new BlockError("bad-option", "A raw data file and a backing file do not go together");
    ext.backingFile = name || undefined;
    ext.backingFormat = name ? ((o["backing_fmt"] as string | undefined) ?? ext.backingFormat) : undefined;
  }
  await img.switchHeader();
}

/** Every use of every cluster, as the tables have it. */
async function countUses(img: Image): Promise<Counts> {
  const counts = new Counts();
  const { clusterSize, header, refs } = img;
  const bytes = (at: number, length: number): void => {
    const first = Math.floor(at / clusterSize);
    if (length > 0) counts.add(first, Math.ceil((at + length) / clusterSize) - first);
  };
  const visit = async (first: number, count: number): Promise<void> => counts.add(first, count);
  counts.one(0);
  bytes(header.l1At, header.l1Size * 8);
  await eachUse(img, img.l1, visit);
  bytes(header.snapshotsAt, header.snapshots === 0 ? 0 : img.snapshotTableBytes);
  for (const s of img.snapshots) {
    bytes(s.l1At, s.l1Size * 8);
    await eachUse(img, await readL1(img, s.l1At, s.l1Size), visit);
  }
  if (img.ext.encryption) bytes(img.ext.encryption.at, img.ext.encryption.length);
  if (img.ext.bitmaps) {
    bytes(img.ext.bitmaps.directoryAt, img.ext.bitmaps.directoryBytes);
    for (const b of await readDirectory(img)) for (const u of await usedClusters(img, b)) counts.add(u.first, u.count);
  }
  bytes(refs.at, refs.table.byteLength);
  for (let i = 0; i < refs.tableEntries; i++) {
    const at = refs.blockAt(i);
    if (at !== 0) counts.one(at / clusterSize);
  }
  return counts;
}

async function changeWidth(img: Image, order: number, progress?: Progress): Promise<void> {
  progress?.(0, 1);
  await rebuildRefcounts(img, await countUses(img), order);
  await flushAll(img);
}

/** Version 2 knows no features, no zero flag and one width of refcounts. */
async function downgrade(node: Qcow2Node, progress?: Progress): Promise<void> {
  const { img } = node;
  const { header } = img;
  const refuse = (why: string): never => {
    throw new BlockError("unsupported-feature", `'${img.filename}' cannot become compat=0.10: ${why}`);
  };
  if ((header.incompatible & ~c.INCOMPAT_DIRTY) !== 0)
    refuse(
      "it has features that version 2 does not know (external data file, zstd, extended L2 entries or the corrupt bit)",
    );
  if (img.ext.bitmaps) refuse("it has bitmaps");
  for (const s of img.snapshots)
    if (s.vmStateSize >= 2 ** 32 || s.diskSize !== img.size) refuse(`snapshot '${s.name}' needs version 3`);
  if (img.snapshots.length > 0 && (await hasZeroFlags(node))) refuse("its snapshots may hold zero clusters");
  if (header.refcountOrder !== 4) await node.alone(() => changeWidth(img, 4, progress));
  await expandZeroes(node, progress);
  await node.alone(async () => {
    header.incompatible = 0;
    header.compatible = [0, 0];
    header.autoclear = [0, 0];
    header.rest = new Uint8Array(0);
    header.version = 2;
    await writeL1(img);
    await img.switchHeader();
    img.map = img.makeMapping();
  });
}

async function hasZeroFlags(node: Qcow2Node): Promise<boolean> {
  for (const { id } of node.img.snapshots) {
    const open = await node.image.snapshots?.open(id, "zero-search");
    const found = open && (await showsZeroes(open));
    await open?.close();
    if (found) return true;
  }
  return false;
}

async function showsZeroes(snapshot: BlockNode): Promise<boolean> {
  for (let at = 0; at < snapshot.size;) {
    const status = await statusOf(snapshot, at, snapshot.size - at);
    if (isZeroFlag(status)) return true;
    at += status.length;
  }
  return false;
}

/** Of a cluster in its place the host may keep only a part: what else there is reads as zeroes, too, but belongs to it. */
function isZeroFlag(status: BlockStatus): boolean {
  return status.allocated && status.zero && !status.data;
}

/** Clusters that read as zeroes by their flag are dropped where nothing is below, and become data otherwise. */
async function expandZeroes(node: Qcow2Node, progress?: Progress): Promise<void> {
  const { img } = node;
  const { size, clusterSize } = img;
  for (let at = 0; at < size;) {
    const status = await node.blockStatus(at, Math.min(size - at, 1 << 22));
    const length = status.length;
    if (isZeroFlag(status)) {
      if (img.nothingBelow)
        await node.inside(() => node.eraser.empty(at, Math.ceil((at + length) / clusterSize) * clusterSize));
      else await node.write(at, new Uint8Array(length));
    }
    at += length;
    progress?.(at, size);
  }
}

async function amendEncryption(node: Qcow2Node, o: Options): Promise<void> {
  const { img } = node;
  if (img.header.crypt !== c.CRYPT_LUKS)
    throw new BlockError("bad-option", `'${img.filename}' is not encrypted with LUKS: encrypt.* cannot be changed`);
  const { host } = img.ctx;
  const io = luksStorage(img.file, luksPlace(img.ext, img.filename), img.filename);
  const id = img.options.encrypt?.["key-secret"];
  if (id === undefined) throw new BlockError("bad-option", "encrypt.key-secret is needed to change key slots");
  const { amendLuks, openLuks } = await ciphers();
  const volume = await openLuks(io, img.filename, await host.secret(id), host);
  const keyslot = o["encrypt.keyslot"] as number | undefined;
  const secretOf = async (key: string): Promise<Uint8Array | undefined> =>
    typeof o[key] === "string" && o[key] !== "" ? host.secret(o[key]) : undefined;
  const slot = keyslot === undefined ? {} : { keyslot };
  if (o["encrypt.state"] === "active") {
    const newPassword = await secretOf("encrypt.new-secret");
    if (!newPassword) throw new BlockError("bad-option", "encrypt.new-secret is needed for state=active");
    const iterTime = o["encrypt.iter-time"] as number | undefined;
    await amendLuks(
      io,
      volume,
      { state: "active", newPassword, ...slot, ...(iterTime === undefined ? {} : { iterTime }) },
      host,
    );
    return;
  }
  const oldPassword = await secretOf("encrypt.old-secret");
  await amendLuks(io, volume, { state: "inactive", ...slot, ...(oldPassword ? { oldPassword } : {}) }, host);
}
