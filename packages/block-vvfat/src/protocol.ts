import type { BlockProtocol, HostDirectory } from "@mimus/block";
import { BlockError, defineProtocol } from "@mimus/block";
import { onOff } from "@mimus/qom";
import { z } from "zod";
import { build, folderEntries } from "./build.ts";
import type { FatBits } from "./geometry.ts";
import { layOut } from "./geometry.ts";
import { VvfatNode } from "./node.ts";
import { readTree } from "./tree.ts";

/** The service that the application gives: opens a folder of the host. */
export const DIRECTORY_SERVICE = "directory";

/** What {@link DIRECTORY_SERVICE} is. */
export type OpenDirectory = (path: string, opts: { readOnly: boolean }) => HostDirectory;

const MAX_LABEL = 11;

const options = z.strictObject({
  dir: z.string().min(1).describe("the folder that the guest sees"),
  "fat-type": z.coerce.number().int().default(0).describe("12, 16 or 32; default 16, for a floppy 12"),
  floppy: onOff.default(false).describe("a floppy instead of a disk with a partition"),
  label: z.string().default("QEMU VVFAT").describe("label of the volume, at most 11 bytes"),
  rw: onOff.default(false).describe("the guest's changes go to the folder"),
});

/** A folder of the host as a FAT disk: `driver=vvfat`. */
export const vvfat: BlockProtocol = protocol("vvfat");
/** The same, as names of files have it: `fat:rw:folder`. */
export const fat: BlockProtocol = protocol("fat");

function protocol(name: string): BlockProtocol {
  return defineProtocol({
    name,
    summary: "A host folder as a FAT12, FAT16 or FAT32 disk",
    options,
    parse: parseName,
    async open({ dir, "fat-type": fatType, floppy, label, rw }, ctx) {
      const openDirectory = ctx.services[DIRECTORY_SERVICE] as OpenDirectory | undefined;
      if (!openDirectory)
        throw new BlockError("bad-option", `'${dir}': this program gives no folders to its block graph`);
      if (![0, 12, 16, 32].includes(fatType))
        throw new BlockError("bad-option", `fat-type ${fatType} must be 12, 16 or 32`);
      // oxlint-disable-next-line no-control-regex
      if (label.length > MAX_LABEL || !/^[\u0020-\u007e]*$/.test(label))
        throw new BlockError("bad-option", `vvfat label cannot be longer than ${MAX_LABEL} bytes: '${label}'`);
      if (rw && ctx.readOnly) throw new BlockError("read-only", "Unable to set VVFAT to 'rw' when drive is read-only");
      const host = openDirectory(dir, { readOnly: !rw });
      const tree = await readTree(host);
      const geometry = layOut(fatType as 0 | FatBits, floppy, folderEntries(tree, true));
      const { volume, root } = build(geometry, tree, label);
      return new VvfatNode(volume, root, host, { name: ctx.name, readOnly: !rw, filename: dir });
    },
  });
}

/** "fat:[floppy:][12:|16:|32:][rw:]folder", the words in any order. */
export function parseName(filename: string): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  let rest = filename.replace(/^fat:/, "");
  for (;;) {
    const word = /^(floppy|rw|12|16|32):/.exec(rest)?.[1];
    if (word === undefined) break;
    if (word === "floppy" || word === "rw") out[word] = true;
    else out["fat-type"] = Number(word);
    rest = rest.slice(word.length + 1);
  }
  return { ...out, dir: rest };
}
