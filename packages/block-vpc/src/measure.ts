import type { MeasureImage } from "@mimus/block";
import { statusOf } from "@mimus/block";
import { FOOTER_BYTES } from "./footer.ts";
import { HEADER_BYTES } from "./header.ts";
import { BLOCK_BYTES, shapeOf } from "./create.ts";

/** Bytes that a VHD of this size and content would take. */
export const measure: MeasureImage = async (size, options, source) => {
  const { bytes } = shapeOf(size, options["force_size"] === true, "new image");
  if (options["subformat"] === "fixed") return { required: bytes + FOOTER_BYTES, fullyAllocated: bytes + FOOTER_BYTES };
  const blocks = Math.ceil(bytes / BLOCK_BYTES);
  const fixed = 2 * FOOTER_BYTES + HEADER_BYTES + Math.ceil((blocks * 4) / 512) * 512;
  const stride = 512 + BLOCK_BYTES;
  let used = 0;
  let last = -1;
  if (source)
    for (let at = 0; at < source.size;) {
      const status = await statusOf(source, at, source.size - at);
      if (status.data && !status.zero) {
        const [from, to] = [Math.floor(at / BLOCK_BYTES), Math.floor((at + status.length - 1) / BLOCK_BYTES)];
        used += to - Math.max(from, last + 1) + 1;
        last = to;
      }
      at += status.length;
    }
  return { required: fixed + used * stride, fullyAllocated: fixed + blocks * stride };
};
