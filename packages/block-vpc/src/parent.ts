import { decodeUtf8 } from "@mimus/bits";
import type { BlockNode, FormatContext } from "@mimus/block";
import { BlockError } from "@mimus/block";
import type { Footer } from "./footer.ts";
import { FOOTER_BYTES, isFooter, parseFooter } from "./footer.ts";
import type { Header, ParentLocator } from "./header.ts";
import { utf16 } from "./header.ts";

/** Longest name of a parent, bytes: what Windows allows, in UTF-16. */
const MAX_NAME_BYTES = 65536;

/**
 * Names under which the parent may be found, best first: relative to the image, then an absolute one's last part.
 * Source: Virtual Hard Disk Image Format Specification 1.0, "Parent Locator Entries".
 */
export async function parentNames(file: BlockNode, header: Header, filename: string): Promise<string[]> {
  const names: string[] = [];
  for (const platform of ["W2ru", "MacX", "W2ku"])
    for (const locator of header.locators)
      if (locator.platform === platform) names.push(...(await readLocator(file, locator, filename)));
  if (header.parentName !== "") names.push(lastPart(header.parentName));
  return [...new Set(names)].filter((n) => n !== "");
}

async function readLocator(file: BlockNode, l: ParentLocator, filename: string): Promise<string[]> {
  if (l.length > MAX_NAME_BYTES || l.at + l.length > file.size)
    throw new BlockError(
      "corrupt",
      `'${filename}': parent locator of ${l.length} bytes at ${l.at} is outside the file`,
    );
  const bytes = new Uint8Array(l.length);
  await file.read(l.at, bytes);
  if (l.platform === "W2ru") return [utf16(bytes, true).replaceAll("\\", "/").replace(/^\.\//, "")];
  if (l.platform === "W2ku") return [lastPart(utf16(bytes, true))];
  return [lastPart(decodeURI_(decodeUtf8(bytes)))];
}

/** The last part of a path of any system. */
function lastPart(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function decodeURI_(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Opens the parent of a differencing disk, and sees that it is the right one. */
export async function openParent(
  names: readonly string[],
  header: Header,
  ctx: FormatContext,
): Promise<BlockNode | undefined> {
  if (ctx.explicitBacking === null) return undefined;
  if (ctx.explicitBacking) {
    const other = await footerOf(ctx.explicitBacking);
    if (other && !same(other.uuid, header.parentUuid))
      ctx.warn(`'${ctx.filename}': the disk given as its parent is another than the one it was made for`);
    return ctx.explicitBacking;
  }
  let first: unknown;
  for (const name of names) {
    let node: BlockNode;
    try {
      node = await ctx.backing(name, "vpc");
    } catch (e) {
      first ??= e;
      if (e instanceof BlockError && e.kind === "not-found") continue;
      throw e;
    }
    const footer = await footerOf(node);
    if (!footer || same(footer.uuid, header.parentUuid)) return node;
    await node.close();
    throw new BlockError(
      "corrupt",
      `'${ctx.filename}': '${name}' is not the parent that it was made for (other unique id)`,
    );
  }
  throw new BlockError(
    "not-found",
    `'${ctx.filename}' is a differencing disk, and its parent '${names[0] ?? ""}' cannot be opened: name it with backing=`,
    { cause: first },
  );
}

/** The footer of an open VHD; undefined when the node is none. */
export async function footerOf(node: BlockNode): Promise<Footer | undefined> {
  const file = node.children?.["file"];
  if (!file || file.size < FOOTER_BYTES) return undefined;
  const bytes = new Uint8Array(FOOTER_BYTES);
  for (const at of [file.size - FOOTER_BYTES, 0]) {
    await file.read(at, bytes);
    if (isFooter(bytes)) return parseFooter(bytes, node.filename ?? node.name, at);
  }
  return undefined;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}
