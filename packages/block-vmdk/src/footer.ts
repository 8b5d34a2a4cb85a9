import { BlockError, type BlockNode, Fields } from "@mimus/block";
import { HEADER_BYTES, parseSparseHeader, SECTOR, type SparseHeader } from "./sparse-header.ts";

/** Types of markers between the grains of a stream. Source: VMware, "Virtual Disk Format 5.0", "Stream-Optimized Compressed Sparse Extents". */
const MARKER_END_OF_STREAM = 0;
const MARKER_FOOTER = 3;

/** The footer of a stream: a header, which names the directory, between two markers at the end of the file. @throws BlockError */
export async function findFooter(file: BlockNode, header: SparseHeader): Promise<SparseHeader> {
  const filename = file.filename ?? file.name;
  const at = file.size - 3 * SECTOR;
  if (at < HEADER_BYTES)
    throw new BlockError("corrupt", `'${filename}': gdOffset says that there is a footer, and there is none`);
  const bytes = new Uint8Array(3 * SECTOR);
  await file.read(at, bytes);
  const f = new Fields(bytes, { filename, littleEndian: true, base: at });
  f.bound("size of the footer's marker", f.u32(8, "size"), 0, 0, 8);
  f.bound("type of the footer's marker", f.u32(12, "type"), MARKER_FOOTER, MARKER_FOOTER, 12);
  f.bound("size of the last marker", f.u32(2 * SECTOR + 8, "size"), 0, 0, 2 * SECTOR + 8);
  f.bound(
    "type of the last marker",
    f.u32(2 * SECTOR + 12, "type"),
    MARKER_END_OF_STREAM,
    MARKER_END_OF_STREAM,
    2 * SECTOR + 12,
  );
  const magic = f.text(SECTOR, 4, "magic of the footer");
  if (magic !== "KDMV") throw f.wrong("magic of the footer", magic, "must be KDMV", SECTOR);
  const footer = parseSparseHeader(bytes.subarray(SECTOR, 2 * SECTOR), filename, at + SECTOR);
  if (footer.footer) throw f.wrong("gdOffset of the footer", "-1", "must be an offset", SECTOR + 56);
  return { ...footer, descriptorAt: header.descriptorAt, descriptorBytes: header.descriptorBytes };
}
