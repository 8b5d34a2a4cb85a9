import type { ImageInfo } from "@mimus/block";
import { readDirectory } from "./bitmap-directory.ts";
import * as c from "./constants.ts";
import { encryptionInfo } from "./encryption.ts";
import type { Image } from "./image.ts";

/** Facts about the image, in QEMU's names of ImageInfoSpecificQCow2. */
export async function imageInfo(img: Image): Promise<ImageInfo> {
  const { header, ext } = img;
  const encrypt = await encryptionInfo(img);
  const bitmaps = await bitmapFlags(img);
  const compression = header.compressionType === 1 ? "zstd" : "zlib";
  const data: Record<string, unknown> =
    header.version === 2
      ? { compat: "0.10", "compression-type": compression, "refcount-bits": 16 }
      : {
          compat: "1.1",
          "compression-type": compression,
          "lazy-refcounts": (header.compatible[1] & c.COMPAT_LAZY_REFCOUNTS) !== 0,
          ...(bitmaps ? { bitmaps } : {}),
          "refcount-bits": 2 ** header.refcountOrder,
          ...(ext.dataFile !== undefined && img.external ? { "data-file": ext.dataFile } : {}),
          ...(img.external ? { "data-file-raw": img.dataFileRaw } : {}),
          corrupt: (header.incompatible & c.INCOMPAT_CORRUPT) !== 0,
          "extended-l2": (header.incompatible & c.INCOMPAT_EXTENDED_L2) !== 0,
        };
  if (encrypt) data["encrypt"] = encrypt;
  return {
    ...(ext.backingFile === undefined ? {} : { backingFile: ext.backingFile }),
    ...(ext.backingFormat === undefined ? {} : { backingFormat: ext.backingFormat }),
    encrypted: header.crypt !== c.CRYPT_NONE,
    dirty: (header.incompatible & c.INCOMPAT_DIRTY) !== 0,
    specific: { type: "qcow2", data },
  };
}

async function bitmapFlags(img: Image): Promise<unknown[] | undefined> {
  if (!img.ext.bitmaps) return undefined;
  try {
    return (await readDirectory(img)).map((b) => ({
      flags: [...((b.flags & 1) === 0 ? [] : ["in-use"]), ...((b.flags & 2) === 0 ? [] : ["auto"])],
      name: b.name,
      granularity: 2 ** b.granularityBits,
    }));
  } catch (e) {
    if (img.bitmapsValid) throw e;
    return undefined;
  }
}
