import { encodeUtf8 } from "@mimus/bits";
import type { BlockNode, CreateContext, CreateImage } from "@mimus/block";
import { BlockError } from "@mimus/block";
import { z } from "zod";
import type { Footer } from "./footer.ts";
import { buildFooter, DIFFERENCING, DYNAMIC, EXACT_SIZE_GEOMETRY, FIXED, FOOTER_BYTES } from "./footer.ts";
import type { Geometry } from "./geometry.ts";
import { geometryHolding, MAX_GEOMETRY_SECTORS, MAX_SECTORS, sectorsOf } from "./geometry.ts";
import type { ParentLocator } from "./header.ts";
import { buildHeader, HEADER_BYTES, toUtf16 } from "./header.ts";
import { footerOf } from "./parent.ts";

/** Bytes of a block of new images: what Virtual PC and Hyper-V take. */
export const BLOCK_BYTES: number = 2 << 20;

const onOff = z
  .union([z.boolean(), z.enum(["on", "off", "yes", "no", "true", "false"])])
  .transform((v) => v === true || v === "on" || v === "yes" || v === "true");

export const createOptions: z.ZodObject = z.strictObject({
  subformat: z
    .enum(["dynamic", "fixed"])
    .default("dynamic")
    .describe("Type of virtual hard disk format. Supported formats are {dynamic (default) | fixed}"),
  force_size: onOff
    .default(false)
    .describe(
      "Force disk size calculation to use the actual size specified, rather than using the nearest CHS-based calculation",
    ),
  backing_file: z.string().optional().describe("Parent of a differencing disk: a VHD"),
  backing_fmt: z.literal("vpc").optional().describe("Format of the parent"),
});

/** How large a new disk becomes, and what its footer says of it. @throws BlockError "bad-option" above 2040 GiB */
export function shapeOf(size: number, exact: boolean, filename: string): { bytes: number; geometry: Geometry } {
  const sectors = Math.ceil(size / 512);
  if (sectors > MAX_SECTORS)
    throw new BlockError("bad-option", `'${filename}': size ${size} must be at most 2040 GiB for format 'vpc'`);
  if (exact) return { bytes: sectors * 512, geometry: EXACT_SIZE_GEOMETRY };
  const geometry = geometryHolding(sectors);
  return { bytes: (sectors >= MAX_GEOMETRY_SECTORS ? sectors : sectorsOf(geometry)) * 512, geometry };
}

/** Makes a VHD. */
export const create: CreateImage = async (file, size, options, ctx) => {
  const parentName = options["backing_file"] as string | undefined;
  const parent = parentName === undefined ? undefined : await parentOf(ctx, parentName);
  const exact = options["force_size"] === true || parent !== undefined;
  const { bytes, geometry } = shapeOf(size, exact, ctx.filename);
  const fixed = options["subformat"] === "fixed";
  if (fixed && parent) throw new BlockError("bad-option", `'${ctx.filename}': a fixed disk has no backing_file`);
  const uuid = new Uint8Array(16);
  ctx.host.random(uuid);
  const footer = buildFooter({
    headerAt: fixed ? undefined : FOOTER_BYTES,
    bytes,
    geometry,
    creator: exact ? "qem2" : "qemu",
    type: fixed ? FIXED : parent ? DIFFERENCING : DYNAMIC,
    uuid,
    now: ctx.host.now(),
  });
  if (fixed) await file.write(bytes, footer);
  else await createGrowing(file, bytes, footer, parent);
  await file.flush();
};

interface Parent {
  readonly name: string;
  readonly footer: Footer;
}

async function parentOf(ctx: CreateContext, name: string): Promise<Parent> {
  const footer = ctx.backing?.node && (await footerOf(ctx.backing.node));
  if (!footer) throw new BlockError("bad-option", `'${ctx.filename}': backing_file '${name}' must be a VHD`);
  return { name, footer };
}

async function createGrowing(file: BlockNode, bytes: number, footer: Uint8Array, parent?: Parent): Promise<void> {
  const entries = Math.ceil(bytes / BLOCK_BYTES);
  const tableAt = FOOTER_BYTES + HEADER_BYTES;
  const tableEnd = tableAt + Math.ceil((entries * 4) / 512) * 512;
  const names = parent ? locatorBytes(parent.name) : [];
  let end = tableEnd;
  const locators: ParentLocator[] = [];
  for (const { platform, text } of names) {
    locators.push({ platform, at: end, length: text.length });
    const padded = new Uint8Array(Math.ceil(text.length / 512) * 512);
    padded.set(text);
    await file.write(end, padded);
    end += padded.length;
  }
  const header = buildHeader({
    tableAt,
    entries,
    blockBytes: BLOCK_BYTES,
    ...(parent
      ? {
          parent: {
            uuid: parent.footer.uuid,
            timestamp: parent.footer.timestamp,
            name: parent.name.slice(parent.name.lastIndexOf("/") + 1),
            locators,
          },
        }
      : {}),
  });
  const unused = new Uint8Array(1 << 16).fill(0xff);
  for (let at = tableAt; at < tableEnd; at += unused.length)
    await file.write(at, unused.subarray(0, Math.min(unused.length, tableEnd - at)));
  await file.write(end, footer);
  await file.write(FOOTER_BYTES, header);
  await file.write(0, footer);
}

/** The parent's name as Windows and macOS write it. */
function locatorBytes(name: string): { platform: string; text: Uint8Array }[] {
  const windows = name.replaceAll("/", "\\");
  if (name.startsWith("/")) return [{ platform: "W2ku", text: toUtf16(windows, true) }, mac(name)];
  return [{ platform: "W2ru", text: toUtf16(`.\\${windows}`, true) }];
}

function mac(name: string): { platform: string; text: Uint8Array } {
  return { platform: "MacX", text: encodeUtf8(`file://localhost${encodeURI(name)}`) };
}
