/** What the tests of whole images share. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BlockNode,
  createImage,
  FileNode,
  MemoryFile,
  MemoryFiles,
  openImage,
  type OpenImageOptions,
} from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { afterAll, beforeAll, expect } from "vitest";
import { vmdk } from "../src/index.ts";

export const SECTOR = 512;
export const KiB = 1024;
export const MiB = 1 << 20;
export const host = testHost();

/** Is qemu-img here? */
export const hasQemu = spawnSync("qemu-img", ["--version"]).status === 0;

/** Where qemu-img works; empty before `inFolder` has made it. */
export let folder = "";
/** Gives the tests of a file a folder, in which qemu-img works. */
export function inFolder(): void {
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "mimus-vmdk-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

/** Puts files into the folder and asks qemu-img; undefined when it is not there. */
export function ask(files: MemoryFiles, ...args: string[]): { rc: number | null; text: string } | undefined {
  if (!hasQemu) return undefined;
  for (const [name, file] of files.files) writeFileSync(join(folder, name), (file as MemoryFile).content());
  const { status, stdout, stderr } = spawnSync("qemu-img", args, { cwd: folder, encoding: "utf8" });
  return { rc: status, text: stdout + stderr };
}
/** The disk as qemu-img reads it. */
export function theirs(
  files: MemoryFiles,
  name: string,
  options = `driver=vmdk,file.filename=${name}`,
): Uint8Array | undefined {
  const done = ask(files, "convert", "--image-opts", options, "-O", "raw", "out.raw");
  if (!done) return undefined;
  expect(done).toEqual({ rc: 0, text: "" });
  return new Uint8Array(readFileSync(join(folder, "out.raw")));
}
/** A file as a node. */
export const node = (files: MemoryFiles, name: string, readOnly = true): Promise<BlockNode> =>
  files.open(name, { writable: !readOnly }).then((f) => FileNode.open(name, f, { readOnly }));
/** Opens an image; its extents lie beside it. */
export function open(files: MemoryFiles, name: string, more: OpenImageOptions = {}): Promise<BlockNode> {
  const readOnly = more.readOnly ?? true;
  const extent = (n: string): Promise<BlockNode> => node(files, n, readOnly);
  return node(files, name, readOnly).then((f) => openImage(vmdk, f, { host, readOnly, extent, ...more }));
}
/** Makes an image with its extents. */
export async function create(
  files: MemoryFiles,
  name: string,
  size: number,
  options: Record<string, unknown> = {},
): Promise<void> {
  const fresh = (n: string): Promise<BlockNode> => (files.add(n, 0), node(files, n, false));
  await createImage(vmdk, await fresh(name), size, { options, host, extent: fresh });
}
/** The bytes of a file. */
export const bytes = (files: MemoryFiles, name: string): Uint8Array => (files.files.get(name) as MemoryFile).content();
/** Bytes of a header: little-endian numbers at their places. */
export function sheet(
  size: number,
  fields: readonly (readonly [at: number, value: number, size: 2 | 4 | 8])[],
): Uint8Array {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  for (const [at, value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value >>> 0, true);
    if (width === 8) view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
  return out;
}
/** A text descriptor. */
export const descriptor = (type: string, ...lines: string[]): Uint8Array =>
  new TextEncoder().encode(
    `# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="${type}"\n${lines.join("\n")}\n`,
  );
