import type { BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";
import { isSealed, seal } from "./crc32c.ts";
import { GUID_BYTES, guid, guidText, sameGuid } from "./guid.ts";
import { MIB } from "./header.ts";

const TABLE_AT: readonly number[] = [192 << 10, 256 << 10];
const TABLE_BYTES = 64 << 10;
const SIGNATURE = 0x69676572; // "regi"
const MOST_ENTRIES = 2047;
const BAT: Uint8Array = /* @__PURE__ */ guid("2DC27766-F623-4200-9D64-115E9BFD4A08");
const METADATA: Uint8Array = /* @__PURE__ */ guid("8B7CA206-4790-4B9A-B8FE-575F050F886E");

/** A part of the file. */
export interface Region {
  readonly at: number;
  readonly bytes: number;
}

/** Source: [MS-VHDX] 2.2.3, "Region Table". */
export interface Regions {
  readonly bat: Region;
  readonly metadata: Region;
  /** All of them, for finding what lies over what. */
  readonly all: readonly Region[];
}

/** Reads the first valid region table. @throws BlockError "corrupt", or "unsupported-feature" for a region that must be known */
export async function readRegions(file: BlockNode, filename: string): Promise<Regions> {
  for (const at of TABLE_AT) {
    if (at + TABLE_BYTES > file.size) continue;
    const bytes = new Uint8Array(TABLE_BYTES);
    await file.read(at, bytes);
    const f = new Fields(bytes, { filename, littleEndian: true, base: at });
    if (f.u32(0, "signature") !== SIGNATURE || !isSealed(bytes)) continue;
    return parse(f, file.size, filename);
  }
  throw new BlockError("corrupt", `'${filename}': neither of the two region tables is valid`, { at: TABLE_AT[0] ?? 0 });
}

function parse(f: Fields, fileBytes: number, filename: string): Regions {
  const count = f.bound("region count", f.u32(8, "region count"), 0, MOST_ENTRIES, 8);
  const all: Region[] = [];
  let bat: Region | undefined;
  let metadata: Region | undefined;
  for (let i = 0, at = 16; i < count; i++, at += 32) {
    const id = f.slice(at, GUID_BYTES, "region GUID");
    const offset = f.aligned("region offset", f.u64(at + 16, "region offset"), MIB, at + 16);
    const bytes = f.aligned("region length", f.u32(at + 24, "region length"), MIB, at + 24);
    f.bound("region offset", offset, MIB, Math.max(MIB, Math.ceil(fileBytes / MIB) * MIB - bytes), at + 16);
    const region = { at: offset, bytes };
    if (all.some((r) => r.at < offset + bytes && offset < r.at + r.bytes))
      throw f.wrong("region offset", String(offset), "must not lie in another region", at + 16);
    all.push(region);
    if (sameGuid(id, BAT)) bat = region;
    else if (sameGuid(id, METADATA)) metadata = region;
    else if (f.u32(at + 28, "region flags") & 1)
      throw new BlockError("unsupported-feature", `'${filename}': region ${guidText(id)} is required and not known`);
  }
  if (!bat || !metadata)
    throw new BlockError(
      "corrupt",
      `'${filename}': the region table lacks ${bat ? "the metadata" : "the block table"}`,
    );
  return { bat, metadata, all };
}

/** The bytes of a region table. */
export function buildRegions(bat: Region, metadata: Region): Uint8Array {
  const bytes = new Uint8Array(TABLE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE, true);
  view.setUint32(8, 2, true);
  for (const [i, [id, region]] of (
    [
      [BAT, bat],
      [METADATA, metadata],
    ] as const
  ).entries()) {
    const at = 16 + i * 32;
    bytes.set(id, at);
    view.setBigUint64(at + 16, BigInt(region.at), true);
    view.setUint32(at + 24, region.bytes, true);
    view.setUint32(at + 28, 1, true);
  }
  return seal(bytes);
}

/** Writes both tables, one stable before the other. */
export async function writeRegions(file: BlockNode, bat: Region, metadata: Region): Promise<void> {
  const bytes = buildRegions(bat, metadata);
  for (const at of TABLE_AT) {
    await file.write(at, bytes);
    await file.flush();
  }
}
