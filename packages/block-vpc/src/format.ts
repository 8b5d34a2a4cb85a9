import type { BlockFormat, BlockNode, FormatContext } from "@mimus/block";
import { BlockError, defineFormat, SectorNode } from "@mimus/block";
import { z } from "zod";
import { BlockMap } from "./block-map.ts";
import { check } from "./check.ts";
import { create, createOptions } from "./create.ts";
import { DynamicVhd } from "./dynamic.ts";
import { FixedVhd } from "./fixed.ts";
import type { Footer, SizeRule } from "./footer.ts";
import { DIFFERENCING, diskBytes, FIXED, FOOTER_BYTES, isFooter, parseFooter } from "./footer.ts";
import type { Header } from "./header.ts";
import { HEADER_BYTES, parseHeader } from "./header.ts";
import { measure } from "./measure.ts";
import { openParent, parentNames } from "./parent.ts";

/** Entries of a block table that opening looks through; larger ones are looked through before the first allocation. */
const ENTRIES_AT_OPEN = 1 << 18;

/** The VHD format, in QEMU's name. */
export const vpc: BlockFormat = defineFormat({
  name: "vpc",
  summary: "Virtual Hard Disk (Virtual PC, Hyper-V): fixed, dynamic and differencing",
  options: z.strictObject({
    force_size_calc: z
      .enum(["current_size", "chs"])
      .optional()
      .describe("which of the two sizes in the footer counts; as its creator means it when not given"),
  }),
  // A fixed disk has only a footer: it cannot be told from raw by its start.
  probe: (head) => (isFooter(head) ? 100 : 0),
  create,
  createOptions,
  measure,
  async open(file, options, ctx) {
    const footer = await findFooter(file, ctx);
    const size = diskBytes(footer, options.force_size_calc as SizeRule, ctx.filename);
    if (footer.type !== FIXED) return openGrowing(file, footer, size, ctx);
    if (size > file.size - FOOTER_BYTES)
      throw new BlockError(
        "corrupt",
        `'${ctx.filename}': current size ${size} must be at most the ${file.size - FOOTER_BYTES} bytes before the footer`,
        { at: file.size - FOOTER_BYTES + 48 },
      );
    return new FixedVhd(ctx.name, file, size, ctx.readOnly);
  },
});

/** The footer at the end of the file, or its copy at the start when that one cannot be used. */
async function findFooter(file: BlockNode, ctx: FormatContext): Promise<Footer> {
  const found: Footer[] = [];
  let first: unknown;
  for (const at of [file.size - FOOTER_BYTES, 0]) {
    if (at < 0) continue;
    const bytes = new Uint8Array(FOOTER_BYTES);
    await file.read(at, bytes);
    if (!isFooter(bytes)) continue;
    try {
      const footer = parseFooter(bytes, ctx.filename, at);
      // At the start there are only copies of growing disks' footers: anything else is what a guest wrote there.
      if (at === 0 && footer.type === FIXED && file.size > FOOTER_BYTES) continue;
      found.push(footer);
    } catch (e) {
      first ??= e;
    }
  }
  const good = found.find((f) => f.checksumGood);
  if (good) {
    if (found.some((f) => !f.checksumGood)) ctx.warn(`'${ctx.filename}': one of its two footers has a wrong checksum`);
    return good;
  }
  const bad = found[0];
  if (!bad) throw first ?? new BlockError("not-this-format", `'${ctx.filename}' has no footer of a VHD`);
  distrust("the footer", 64, ctx);
  return bad;
}

/** What has a wrong checksum may be read, with a warning, and not be written. */
function distrust(what: string, at: number, ctx: FormatContext): void {
  const message = `'${ctx.filename}': checksum of ${what} is wrong`;
  if (!ctx.readOnly) throw new BlockError("corrupt", `${message}; it can only be opened read-only`, { at });
  ctx.warn(message);
}

async function openGrowing(file: BlockNode, footer: Footer, size: number, ctx: FormatContext): Promise<BlockNode> {
  const { filename, name, readOnly } = ctx;
  const headerAt = footer.headerAt ?? 0;
  if (headerAt % 512 !== 0 || headerAt < FOOTER_BYTES || headerAt + HEADER_BYTES > file.size)
    throw new BlockError(
      "corrupt",
      `'${filename}': data offset ${headerAt} must be a multiple of 512 inside the file (${file.size} bytes)`,
      { at: 16 },
    );
  const bytes = new Uint8Array(HEADER_BYTES);
  await file.read(headerAt, bytes);
  const header = parseHeader(bytes, filename, headerAt, file.size);
  if (!header.checksumGood) distrust("the dynamic disk header", headerAt + 36, ctx);
  if (size > header.entries * header.blockBytes)
    throw new BlockError(
      "corrupt",
      `'${filename}': max table entries ${header.entries} of ${header.blockBytes} bytes must hold the disk of ${size} bytes`,
      { at: headerAt + 28 },
    );
  const differencing = footer.type === DIFFERENCING;
  const map = new BlockMap({ file, header, headerAt, footer: footer.bytes, differencing });
  if (header.entries <= ENTRIES_AT_OPEN) await map.scan();
  const names = differencing ? await parentNames(file, header, filename) : [];
  const backing = differencing ? await openParent(names, header, ctx) : undefined;
  const image = {
    clusterSize: header.blockBytes,
    info: async () => (names[0] === undefined ? {} : { backingFile: names[0], backingFormat: "vpc" }),
    check: (repair: "none" | "leaks" | "all") =>
      check(file, map, repair, {
        blocks: Math.ceil(size / header.blockBytes),
        metadataEnd: metadataEnd(header, headerAt),
      }),
  };
  const reopen = async (): Promise<void> => undefined;
  const options = {
    name,
    driver: "vpc",
    size,
    readOnly,
    file,
    map,
    backing,
    image,
    reopen,
    firstWrite: () => map.scan(),
  };
  return differencing ? new SectorNode(options) : new DynamicVhd(options);
}

function metadataEnd(header: Header, headerAt: number): number {
  let end = Math.max(headerAt + HEADER_BYTES, header.tableAt + Math.ceil((header.entries * 4) / 512) * 512);
  for (const l of header.locators) end = Math.max(end, Math.ceil((l.at + l.length) / 512) * 512);
  return end;
}
