import { decodeLatin1 } from "@mimus/bits";
import type { BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";
import type { Trailer } from "./trailer.ts";

const MISH = [0x6d, 0x69, 0x73, 0x68];

/** The block tables ("mish") of an image, from its property list, else from its resource fork. */
export async function blockTables(file: BlockNode, trailer: Trailer, filename: string): Promise<Uint8Array[]> {
  const { plist, resources } = trailer;
  if (plist) {
    const bytes = new Uint8Array(plist.length);
    await file.read(plist.at, bytes);
    return found(fromPlist(bytes, filename), "property list", filename);
  }
  if (!resources) throw new BlockError("corrupt", `'${filename}': neither a property list nor a resource fork`);
  const bytes = new Uint8Array(resources.length);
  await file.read(resources.at, bytes);
  return found(fromResources(bytes, filename, resources.at), "resource fork", filename);
}

/** Without any table the image would be an empty disk. */
function found(tables: Uint8Array[], where: string, filename: string): Uint8Array[] {
  if (tables.length === 0) throw new BlockError("corrupt", `'${filename}': no block table (mish) in the ${where}`);
  return tables;
}

/** All `<data>` of the list that hold a block table; other data (partition maps, licences) are left out. */
function fromPlist(bytes: Uint8Array, filename: string): Uint8Array[] {
  const text = decodeLatin1(bytes);
  const tables: Uint8Array[] = [];
  for (let at = text.indexOf("<data>"); at >= 0; at = text.indexOf("<data>", at)) {
    const end = text.indexOf("</data>", at);
    if (end < 0) throw new BlockError("corrupt", `'${filename}': property list: <data> without an end`);
    const data = base64(bytes.subarray(at + 6, end), filename);
    if (isTable(data)) tables.push(data);
    at = end;
  }
  return tables;
}

/** Source: "Inside Macintosh: More Macintosh Toolbox" (1993), "Resource File Format": each datum has its length before it. */
function fromResources(bytes: Uint8Array, filename: string, base: number): Uint8Array[] {
  const f = new Fields(bytes, { filename, littleEndian: false, base });
  const start = f.u32(0, "resource data offset");
  const length = f.u32(8, "resource data length");
  f.bound("resource data offset", start, 16, bytes.length, 0);
  const end = f.bound("resource data end", start + length, start, bytes.length, 8);
  const tables: Uint8Array[] = [];
  for (let at = start; at + 4 <= end;) {
    const size = f.u32(at, "resource length");
    f.bound("resource length", size, 0, end - at - 4, at);
    const data = bytes.subarray(at + 4, at + 4 + size);
    if (isTable(data)) tables.push(data);
    at += 4 + size;
  }
  return tables;
}

function isTable(data: Uint8Array): boolean {
  return MISH.every((b, i) => data[i] === b);
}

const SIX: Int8Array = new Int8Array(256).fill(-1);
for (const [i, c] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries())
  SIX[c.charCodeAt(0)] = i;

/** RFC 4648 section 4, white space left out. */
function base64(text: Uint8Array, filename: string): Uint8Array {
  const out = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let at = 0;
  let bits = 0;
  let have = 0;
  for (const c of text) {
    if (c <= 0x20) continue;
    if (c === 0x3d) break;
    const six = SIX[c]!;
    if (six < 0) throw new BlockError("corrupt", `'${filename}': property list: byte 0x${c.toString(16)} in <data>`);
    bits = (bits << 6) | six;
    have += 6;
    if (have >= 8) {
      have -= 8;
      out[at++] = (bits >>> have) & 255;
    }
  }
  return out.subarray(0, at);
}
