import type { MeasureImage } from "@mimus/block";
import { statusOf } from "@mimus/block";
import { batEntries } from "./block-map.ts";
import { shapeOf } from "./create.ts";
import { MIB } from "./header.ts";

/** Bytes that a VHDX of this size and content would take. */
export const measure: MeasureImage = async (size, options, source) => {
  const { diskBytes, blockBytes, logBytes, sector, fixed } = shapeOf(size, options, "new image");
  const entries = batEntries({ diskBytes, blockBytes, logicalSector: sector, hasParent: false });
  const tables = 2 * MIB + logBytes + Math.max(1, Math.ceil((entries * 8) / MIB)) * MIB;
  const fullyAllocated = tables + Math.ceil(diskBytes / blockBytes) * blockBytes;
  if (fixed) return { required: fullyAllocated, fullyAllocated };
  let blocks = 0;
  let last = -1;
  if (source)
    for (let at = 0; at < source.size;) {
      const status = await statusOf(source, at, source.size - at);
      if (status.data && !status.zero) {
        const [from, to] = [Math.floor(at / blockBytes), Math.floor((at + status.length - 1) / blockBytes)];
        blocks += to - Math.max(from, last + 1) + 1;
        last = to;
      }
      at += status.length;
    }
  return { required: tables + blocks * blockBytes, fullyAllocated };
};
