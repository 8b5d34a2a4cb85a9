import { BlockError } from "@mimus/block";
import { parseXml, type XmlElement } from "./xml.ts";

/** Disks of one package, at most. */
const MOST_DISKS = 256;

/** A disk of an OVF package. */
export interface OvfDisk {
  readonly id: string;
  /** Name of its file in the package; undefined for a disk that starts empty. */
  readonly filename: string | undefined;
  /** Bytes; undefined when the package does not say. */
  readonly capacity: number | undefined;
  /** URI of the disk's format. */
  readonly format: string;
  /** Id of the disk that this one is a child of. */
  readonly parent: string | undefined;
  readonly compression: string | undefined;
  readonly chunked: boolean;
}

/** Lists the disks of a package by its descriptor. Source: DMTF DSP0243 2.1.1, "Open Virtualization Format", 7.1 and 9.1. @throws BlockError */
export function parseOvf(source: string, filename: string): OvfDisk[] {
  let root: XmlElement;
  try {
    root = parseXml(source);
  } catch (e) {
    throw new BlockError("corrupt", `'${filename}': ${e instanceof Error ? e.message : String(e)}`, { cause: e });
  }
  if (root.name !== "Envelope") throw new BlockError("corrupt", `'${filename}': <${root.name}> must be <Envelope>`);
  const files = new Map<string, XmlElement>();
  for (const e of childrenOf(root, "References", "File")) files.set(e.attributes.get("id") ?? "", e);
  const disks = childrenOf(root, "DiskSection", "Disk").map((e) => diskOf(e, files, filename));
  if (disks.length > MOST_DISKS)
    throw new BlockError("corrupt", `'${filename}': ${disks.length} disks must be at most ${MOST_DISKS}`);
  return disks;
}

function childrenOf(root: XmlElement, section: string, name: string): XmlElement[] {
  return root.children.filter((s) => s.name === section).flatMap((s) => s.children.filter((e) => e.name === name));
}

function diskOf(e: XmlElement, files: ReadonlyMap<string, XmlElement>, filename: string): OvfDisk {
  const id = e.attributes.get("diskId") ?? "";
  const ref = e.attributes.get("fileRef");
  const file = ref === undefined || ref === "" ? undefined : files.get(ref);
  if (ref !== undefined && ref !== "" && !file)
    throw new BlockError("corrupt", `'${filename}': disk '${id}' has the file '${ref}', which <References> lacks`);
  return {
    id,
    filename: file?.attributes.get("href"),
    capacity: capacityOf(e),
    format: e.attributes.get("format") ?? "",
    parent: e.attributes.get("parentRef") || undefined,
    compression: file?.attributes.get("compression"),
    chunked: file?.attributes.has("chunkSize") ?? false,
  };
}

/** `capacity` times `capacityAllocationUnits`, which is "byte", or "byte * 2^20" and the like. */
function capacityOf(e: XmlElement): number | undefined {
  const count = Number(e.attributes.get("capacity") ?? Number.NaN);
  const [, base, power] =
    /^\s*byte\s*\*\s*(\d{1,2})\s*\^\s*(\d{1,2})\s*$/.exec(e.attributes.get("capacityAllocationUnits") ?? "") ?? [];
  const bytes = count * (base === undefined ? 1 : Number(base) ** Number(power));
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}
