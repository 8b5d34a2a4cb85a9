import { decodeLatin1, decodeUtf8 } from "@mimus/bits";
import { BlockError } from "@mimus/block";

/** Bytes of a descriptor that are read at most; QEMU's bound. */
export const MOST_DESCRIPTOR: number = (1 << 20) - 1;
/** Extents of one image, at most. */
const MOST_EXTENTS = 4096;
/** CID of "no parent". */
export const NO_CID = 0xffffffff;

/** A line of the extent description: `RW 63 FLAT "disk-flat.vmdk" 0`. */
export interface ExtentLine {
  readonly access: "RW" | "RDONLY" | "NOACCESS";
  /** Sectors of 512 bytes. */
  readonly sectors: number;
  readonly type: string;
  /** Absent for ZERO. */
  readonly filename: string | undefined;
  /** Sectors into the file; only of flat extents. */
  readonly offset: number;
}

/** A disk descriptor. Source: VMware, "Virtual Disk Format 5.0", "The Descriptor File". */
export interface Descriptor {
  readonly cid: number;
  readonly parentCid: number;
  readonly createType: string;
  readonly parentFileNameHint: string | undefined;
  readonly extents: readonly ExtentLine[];
}

const EXTENT =
  /^(RW|RDONLY|NOACCESS)[ \t]+(-?\d{1,19})[ \t]+(\S{1,20})(?:[ \t]+"([^"]{0,1023})"(?:[ \t]+(-?\d{1,19}))?.*)?$/;
const ENTRY = /^([A-Za-z][\w.]*)[ \t]*=[ \t]*(?:"([^"]*)"|(\S*))/;

/** True for text that begins as a descriptor does: comments and blank lines, then a version. */
export function isDescriptor(head: Uint8Array): boolean {
  const text = decodeLatin1(head.subarray(0, 2048));
  if (!/^#[ \t]*disk[ \t]*descriptorfile/i.test(text)) return false;
  return /^version[ \t]*=[ \t]*[1-4][ \t]*\r?$/m.test(text);
}

/** Reads a descriptor. @throws BlockError */
export function parseDescriptor(bytes: Uint8Array, filename: string): Descriptor {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  const latin1 = decodeLatin1(used);
  const text = /^encoding[ \t]*=[ \t]*"windows-1252"/im.test(latin1) ? latin1 : decodeUtf8(used);
  const entries = new Map<string, string>();
  const extents: ExtentLine[] = [];
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const extent = EXTENT.exec(line);
    if (extent) {
      if (extents.length >= MOST_EXTENTS)
        throw new BlockError("corrupt", `'${filename}': extents must be at most ${MOST_EXTENTS}`);
      extents.push(extentOf(extent, line, filename));
      continue;
    }
    const entry = ENTRY.exec(line);
    if (entry?.[1] !== undefined && !entries.has(entry[1].toLowerCase()))
      entries.set(entry[1].toLowerCase(), entry[2] ?? entry[3] ?? "");
    else if (/^(RW|RDONLY|NOACCESS)\s/.test(line)) throw wrongLine(filename, line, "is no extent");
  }
  const cid = hexOf(entries.get("cid"), "CID", filename);
  const parentCid = hexOf(entries.get("parentcid"), "parentCID", filename);
  const hint = entries.get("parentfilenamehint");
  return {
    cid: cid ?? NO_CID,
    parentCid: parentCid ?? NO_CID,
    createType: entries.get("createtype") ?? "",
    parentFileNameHint: hint === "" ? undefined : hint,
    extents,
  };
}

function extentOf(match: RegExpExecArray, line: string, filename: string): ExtentLine {
  const [, access, size, type = "", name, offset] = match;
  const sectors = Number(size);
  if (!(sectors > 0 && sectors <= Number.MAX_SAFE_INTEGER / 512))
    throw wrongLine(filename, line, `has ${size} sectors, which must be 1 to 2^44`);
  const skip = offset === undefined ? 0 : Number(offset);
  if (!(skip >= 0 && skip <= Number.MAX_SAFE_INTEGER / 512))
    throw wrongLine(filename, line, `has offset ${offset}, which must be 0 to 2^44`);
  if (name === undefined && type !== "ZERO") throw wrongLine(filename, line, "names no file");
  return { access: access as ExtentLine["access"], sectors, type, filename: name, offset: skip };
}

function hexOf(text: string | undefined, field: string, filename: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^(0x)?[0-9a-f]{1,8}$/i.test(text))
    throw new BlockError(
      "corrupt",
      `'${filename}': ${field} '${text.slice(0, 20)}' must be a hexadecimal number of 32 bits`,
    );
  return Number.parseInt(text, 16);
}

function wrongLine(filename: string, line: string, why: string): BlockError {
  return new BlockError("corrupt", `'${filename}': extent '${line.slice(0, 100)}' ${why}`);
}

/** What a new descriptor says. */
export interface NewDescriptor {
  readonly cid: number;
  readonly parentCid: number;
  readonly parentFileNameHint?: string | undefined;
  readonly createType: string;
  /** Lines of the extent description. */
  readonly extents: readonly string[];
  readonly size: number;
  readonly adapterType: string;
  readonly hwVersion: string;
  readonly toolsVersion: string;
}

/** The text of a new descriptor. */
export function buildDescriptor(d: NewDescriptor): string {
  const heads = d.adapterType === "ide" ? 16 : 255;
  const hint = d.parentFileNameHint === undefined ? "" : `parentFileNameHint="${d.parentFileNameHint}"\n`;
  return (
    `# Disk DescriptorFile\nversion=1\nCID=${hex8(d.cid)}\nparentCID=${hex8(d.parentCid)}\n` +
    `createType="${d.createType}"\n${hint}\n# Extent description\n${d.extents.join("\n")}\n\n` +
    `# The Disk Data Base\n#DDB\n\nddb.virtualHWVersion = "${d.hwVersion}"\n` +
    `ddb.geometry.cylinders = "${Math.floor(d.size / (63 * heads * 512))}"\nddb.geometry.heads = "${heads}"\n` +
    `ddb.geometry.sectors = "63"\nddb.adapterType = "${d.adapterType}"\nddb.toolsVersion = "${d.toolsVersion}"\n`
  );
}

/** Eight hexadecimal digits. */
function hex8(n: number): string {
  return n.toString(16).padStart(8, "0");
}

/** The bytes with an entry's 32-bit hexadecimal value replaced, same length where there were 8 digits; undefined without the entry. */
export function withCid(bytes: Uint8Array, cid: number): Uint8Array | undefined {
  const text = decodeLatin1(bytes);
  const match = /(^|\n)([ \t]*CID[ \t]*=[ \t]*"?)([0-9a-fA-F]{1,8})/i.exec(text);
  if (!match) return undefined;
  const start = match.index + (match[1] ?? "").length + (match[2] ?? "").length;
  const digits = (match[3] ?? "").length;
  const out = bytes.slice();
  if (digits < 8) out.copyWithin(start + 8, start + digits);
  const fresh = hex8(cid);
  for (let i = 0; i < 8; i++) out[start + i] = fresh.charCodeAt(i);
  return out;
}
