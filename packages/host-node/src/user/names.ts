import { lstatSync, opendirSync } from "node:fs";

import { decodeUtf8, encodeUtf8, S, type DirEntry } from "@mimus/linux-user";

import { guard } from "./errors.ts";

/** Names that are no UTF-8 are kept in text as lone surrogates (see `decodeUtf8`); Node takes them as bytes. */
export function hostName(path: string): string | Buffer {
  return path.isWellFormed() ? path : Buffer.from(encodeUtf8(path));
}

/** The same for libc: bytes with a zero at the end. */
export function cString(name: string | Buffer): Uint8Array {
  return Buffer.concat([Buffer.from(name as string), Buffer.alloc(1)]);
}

/** Names in a directory, in the host's order. Inode numbers are looked up one by one: Node's own list has none. */
export function listDirectory(path: string): DirEntry[] {
  return guard(() => {
    const dir = opendirSync(path, { encoding: "buffer" as BufferEncoding, bufferSize: 256 });
    const list: DirEntry[] = [];
    try {
      for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) {
        const name = decodeUtf8(entry.name as unknown as Uint8Array);
        const info = entryOf(`${path}/${name}`);
        list.push({ name, ino: info?.ino ?? 0, mode: info === undefined ? 0 : info.mode & S.IFMT });
      }
    } finally {
      dir.closeSync();
    }
    return list;
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
