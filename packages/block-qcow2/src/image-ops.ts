import { encode } from "./extensions.ts";
import { BlockError } from "@mimus/block";
import type { ImageOps } from "@mimus/block";
import { amendImage } from "./amend.ts";
import { bitmapOps } from "./bitmaps.ts";
import { checkImage } from "./check.ts";
import { imageInfo } from "./info.ts";
import type { Qcow2Node } from "./node.ts";
import { growL1 } from "./resize.ts";
import { snapshotOps } from "./snapshots.ts";

/** What a qcow2 image can do besides bytes. */
export function imageOps(node: Qcow2Node): ImageOps {
  const { img } = node;
  return {
    clusterSize: img.clusterSize,
    info: () => node.inside(() => imageInfo(img)),
    check: (repair, progress) =>
      repair === "none" && img.readOnly
        ? img.gate.alone(() => checkImage(node, "none", progress))
        : img.readOnly
          ? readOnly(img.filename)
          : node.alone(() => checkImage(node, repair, progress), { clean: false }),
    snapshots: snapshotOps(node),
    bitmaps: bitmapOps(node),
    writeCompressed: (at, from) => node.inside(() => node.compressor.write(at, from)),
    changeBacking: (filename, format) =>
      node.alone(async () => {
        if (filename !== undefined && img.dataFileRaw)
          throw new BlockError("bad-option", `'${img.filename}' has a raw data file: it cannot have a backing file`);
        if (filename !== undefined && encode(filename).length > 1023)
          throw new BlockError("bad-option", "The backing file's name must be at most 1023 bytes long");
        img.ext.backingFile = filename;
        img.ext.backingFormat = filename === undefined ? undefined : format;
        await img.switchHeader();
      }),
    async makeEmpty() {
      await img.event("empty_image_prepare");
      await node.inside(() => node.eraser.empty(0, Math.ceil(img.size / img.clusterSize) * img.clusterSize));
    },
    amend: (options, progress) => amendImage(node, options, progress),
    vmState: {
      async read(at, into) {
        await img.event("vmstate_load");
        await node.inside(() => node.reader.read(img.l1, img.vmStateAt + at, into));
      },
      async write(at, from) {
        await img.event("vmstate_save");
        const count = Math.ceil((img.vmStateAt + at + from.length) / img.coverage);
        if (count > img.l1.count) await node.alone(() => growL1(img, count));
        await node.inside(() => node.writer.write(img.vmStateAt + at, from));
      },
    },
  };
}

async function readOnly(filename: string): Promise<never> {
  throw new BlockError("read-only", `'${filename}' is open read-only: nothing can be repaired`);
}
