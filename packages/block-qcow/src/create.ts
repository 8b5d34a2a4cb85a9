import type { CreateImage, MeasureImage } from "@mimus/block";
import { BlockError, statusOf } from "@mimus/block";
import { z } from "zod";
import { buildStart } from "./header.ts";

const onOff = z
  .union([z.boolean(), z.enum(["on", "off", "yes", "no", "true", "false"])])
  .transform((v) => v === true || v === "on" || v === "yes" || v === "true");

export const createOptions: z.ZodObject = z.strictObject({
  backing_file: z.string().optional().describe("File name of a base image"),
  backing_fmt: z.string().optional().describe("Format of the backing image"),
  encryption: onOff
    .default(false)
    .describe("Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)"),
  "encrypt.format": z.enum(["aes"]).optional().describe("Encrypt the image, format choices: 'aes'"),
  "encrypt.key-secret": z.string().optional().describe("ID of the secret that provides the AES encryption key"),
});

/** Makes an image. */
export const create: CreateImage = async (file, size, options, ctx) => {
  const encrypted = options["encryption"] === true || options["encrypt.format"] === "aes";
  if (encrypted) {
    const id = options["encrypt.key-secret"] as string | undefined;
    if (id === undefined) throw new BlockError("bad-option", "Parameter 'encrypt.key-secret' is required for cipher");
    await ctx.host.secret(id);
  }
  if (size === 0) throw new BlockError("bad-option", "Image size is too small, cannot be zero length");
  const diskBytes = Math.ceil(size / 512) * 512;
  const backingFile = options["backing_file"] as string | undefined;
  const { bytes, l1At, l1Bytes } = buildStart({ backingFile, diskBytes, encrypted });
  const zeroes = new Uint8Array(1 << 16);
  for (let done = 0; done < l1Bytes; done += zeroes.length)
    await file.write(l1At + done, zeroes.subarray(0, Math.min(zeroes.length, l1Bytes - done)));
  await file.write(0, bytes);
  await file.flush();
};

/** Bytes that an image of this size and content would take. */
export const measure: MeasureImage = async (size, options, source) => {
  const backingFile = options["backing_file"] as string | undefined;
  const { l1At, l1Bytes } = buildStart({ backingFile, diskBytes: Math.ceil(size / 512) * 512, encrypted: false });
  const [cluster, l2Bytes] = backingFile === undefined ? [4096, 4096] : [512, 32768];
  const tableCovers = (l2Bytes / 8) * cluster;
  const fixed = Math.ceil((l1At + l1Bytes) / cluster) * cluster;
  let [clusters, tables, last, lastTable] = [0, 0, -1, -1];
  if (source)
    for (let at = 0; at < source.size;) {
      const status = await statusOf(source, at, source.size - at);
      if (status.data && !status.zero) {
        const end = at + status.length - 1;
        const [first, firstTable] = [
          Math.max(Math.floor(at / cluster), last + 1),
          Math.max(Math.floor(at / tableCovers), lastTable + 1),
        ];
        [last, lastTable] = [Math.floor(end / cluster), Math.floor(end / tableCovers)];
        clusters += last - first + 1;
        tables += lastTable - firstTable + 1;
      }
      at += status.length;
    }
  const all = Math.ceil(size / cluster) * cluster + Math.ceil(size / tableCovers) * l2Bytes;
  return { required: fixed + clusters * cluster + tables * l2Bytes, fullyAllocated: fixed + all };
};
