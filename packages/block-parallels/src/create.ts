import type { CreateImage, MeasureImage } from "@mimus/block";
import { BlockError, statusOf } from "@mimus/block";
import { size as byteCount } from "@mimus/qom";
import { z } from "zod";
import { buildHeader, HEADER_BYTES, layoutOf } from "./header.ts";
import type { NewHeader } from "./header.ts";

export const createOptions: z.ZodObject = z.strictObject({
  cluster_size: byteCount.default(1 << 20).describe("Parallels image cluster size"),
});

function shapeOf(size: number, options: Readonly<Record<string, unknown>>, filename: string): NewHeader {
  const wanted = options["cluster_size"] as number;
  const clusterBytes = Math.ceil(wanted / 512) * 512;
  const wrong = (what: string, value: number, rule: string): BlockError =>
    new BlockError("bad-option", `'${filename}': ${what} ${value} must be ${rule}`);
  if (clusterBytes < 512 || clusterBytes > 2 ** 31 - 512) throw wrong("cluster_size", wanted, "512 bytes to 2 GiB");
  const diskBytes = Math.ceil(size / 512) * 512;
  if (diskBytes / clusterBytes > 0x1fff_ffff)
    throw wrong("size", size, `at most ${0x1fff_ffff} clusters of ${clusterBytes} bytes`);
  return { clusterBytes, diskBytes };
}

/** Makes an image in the newer form. */
export const create: CreateImage = async (file, size, options, ctx) => {
  const shape = shapeOf(size, options, ctx.filename);
  const { entries, dataAt } = layoutOf(shape);
  await file.write(0, buildHeader(shape));
  // The table reads as zeroes: the file ends behind it.
  if (dataAt > 512) await file.write(dataAt - 512, new Uint8Array(512));
  if (file.size < HEADER_BYTES + entries * 4) throw new BlockError("io", `'${ctx.filename}' did not grow`);
  await file.flush();
};

/** Bytes that an image of this size and content would take. */
export const measure: MeasureImage = async (size, options, source) => {
  const shape = shapeOf(size, options, "new image");
  const { entries, dataAt } = layoutOf(shape);
  let [clusters, last] = [0, -1];
  if (source)
    for (let at = 0; at < source.size;) {
      const status = await statusOf(source, at, source.size - at);
      if (status.data && !status.zero) {
        const first = Math.max(Math.floor(at / shape.clusterBytes), last + 1);
        last = Math.floor((at + status.length - 1) / shape.clusterBytes);
        clusters += last - first + 1;
      }
      at += status.length;
    }
  return { required: dataAt + clusters * shape.clusterBytes, fullyAllocated: dataAt + entries * shape.clusterBytes };
};
