import type { BlockNode, CreateContext, FormatContext } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";
import { GUID_BYTES, guid, guidText, sameGuid } from "./guid.ts";
import { readHeader } from "./header.ts";

/** Type of locator that names a VHDX by its path. */
const VHDX_PARENT: Uint8Array = /* @__PURE__ */ guid("B04AEFB7-D19E-4A81-B789-25B8E9445913");
const MOST_KEYS = 64;

/** What the image says of its parent. Source: [MS-VHDX] 2.6.2.6, "Parent Locator". */
export interface ParentLocator {
  /** Names to try, best first. */
  readonly names: readonly string[];
  /** Identities that the parent may have, as text. */
  readonly linkages: readonly string[];
}

/** @throws BlockError "corrupt", or "unsupported-feature" for another kind of parent */
export function parseParentLocator(bytes: Uint8Array, filename: string): ParentLocator {
  const f = new Fields(bytes, { filename, littleEndian: true });
  const type = f.slice(0, GUID_BYTES, "parent locator type");
  if (!sameGuid(type, VHDX_PARENT))
    throw new BlockError("unsupported-feature", `'${filename}': parent locator type ${guidText(type)} is not known`);
  const count = f.bound("parent locator keys", f.u16(18, "parent locator keys"), 0, MOST_KEYS, 18);
  const values = new Map<string, string>();
  for (let i = 0, at = 20; i < count; i++, at += 12) {
    const key = f.slice(f.u32(at, "parent key"), f.u16(at + 8, "parent key length"), "parent key");
    const value = f.slice(f.u32(at + 4, "parent value"), f.u16(at + 10, "parent value length"), "parent value");
    values.set(utf16(key), utf16(value));
  }
  const relative = values.get("relative_path")?.replaceAll("\\", "/").replace(/^\.\//, "");
  const absolute = values.get("absolute_win32_path") ?? values.get("volume_path");
  const names = [
    relative,
    absolute && absolute.slice(Math.max(absolute.lastIndexOf("\\"), absolute.lastIndexOf("/")) + 1),
  ];
  const linkages = [values.get("parent_linkage"), values.get("parent_linkage2")];
  return {
    names: [...new Set(names.filter((n): n is string => n !== undefined && n !== ""))],
    linkages: linkages.filter((l): l is string => l !== undefined).map((l) => l.toLowerCase()),
  };
}

/** Opens the parent, and sees that it is as it was when the image was made. */
export async function openParent(locator: ParentLocator, ctx: FormatContext): Promise<BlockNode | undefined> {
  if (ctx.explicitBacking === null) return undefined;
  if (ctx.explicitBacking) return ctx.explicitBacking;
  let first: unknown;
  for (const name of locator.names) {
    let node: BlockNode;
    try {
      node = await ctx.backing(name, "vhdx");
    } catch (e) {
      first ??= e;
      if (e instanceof BlockError && e.kind === "not-found") continue;
      throw e;
    }
    const id = await identityOf(node);
    if (id === undefined || locator.linkages.includes(id)) return node;
    await node.close();
    throw new BlockError(
      "corrupt",
      `'${ctx.filename}': its parent '${name}' was changed (data write GUID ${id}, not ${locator.linkages.join(" or ")}); backing= opens it all the same`,
    );
  }
  throw new BlockError(
    "not-found",
    `'${ctx.filename}' is a differencing disk, and its parent '${locator.names[0] ?? ""}' cannot be opened: name it with backing=`,
    { cause: first },
  );
}

/** The data write GUID of an open VHDX. */
async function identityOf(node: BlockNode): Promise<string | undefined> {
  const file = node.children?.["file"];
  return file && guidText((await readHeader(file, node.filename ?? node.name)).dataWriteGuid);
}

/** The locator of a new image. */
export async function parentLocatorFor(ctx: CreateContext, name: string): Promise<Uint8Array> {
  const id = ctx.backing?.node && (await identityOf(ctx.backing.node));
  if (id === undefined) throw new BlockError("bad-option", `'${ctx.filename}': backing_file '${name}' must be a VHDX`);
  const windows = name.replaceAll("/", "\\");
  const pairs: [string, string][] = [["parent_linkage", id]];
  if (!name.startsWith("/")) pairs.push(["relative_path", `.\\${windows}`]);
  // Some readers know no other key; those that follow the relative path first never come to this one.
  pairs.push(["absolute_win32_path", windows]);
  const texts = pairs.flat();
  const head = 20 + pairs.length * 12;
  const out = new Uint8Array(texts.reduce((n, t) => n + t.length * 2, head));
  const view = new DataView(out.buffer);
  out.set(VHDX_PARENT);
  view.setUint16(18, pairs.length, true);
  let at = head;
  for (const [i, text] of texts.entries()) {
    const entry = 20 + (i >> 1) * 12;
    view.setUint32(entry + (i & 1) * 4, at, true);
    view.setUint16(entry + 8 + (i & 1) * 2, text.length * 2, true);
    for (let k = 0; k < text.length; k++) view.setUint16(at + k * 2, text.charCodeAt(k), true);
    at += text.length * 2;
  }
  return out;
}

function utf16(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i + 1 < bytes.length; i += 2)
    out += String.fromCharCode((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8));
  return out;
}
