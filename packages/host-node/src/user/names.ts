import { lstatSync, readdirSync } from "node:fs";

import { decodeUtf8, encodeUtf8, S, type DirEntry } from "@mimus/linux-user";

import { guard } from "./errors.ts";

/** Names that are no UTF-8 are kept in text as lone surrogates (see `decodeUtf8`); Node takes them as bytes. */
export function hostName(path: string): string | Buffer {
  return path.isWellFormed() ? path : Buffer.from(encodeUtf8(path));
}

/** Names in a directory. Inode numbers are looked up one by one: Node's own list has none. */
export function listDirectory(path: string): DirEntry[] {
  return guard(() => {
    const names = readdirSync(path);
    // U+FFFD stands for bytes that Node could not read as UTF-8.
    const whole = names.some((name) => name.includes("\ufffd"))
      ? readdirSync(path, { encoding: "buffer" }).map(decodeUtf8)
      : names;
    return whole.map((name) => {
      const info = entryOf(`${path}/${name}`);
      return { name, ino: info?.ino ?? 0, mode: info === undefined ? 0 : info.mode & S.IFMT };
    });
  });
}

/** Undefined when it went away meanwhile. */
function entryOf(path: string): { readonly ino: number; readonly mode: number } | undefined {
  try {
    return lstatSync(hostName(path), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
