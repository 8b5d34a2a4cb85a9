/** Every image format works from its packed tarball, with nothing but what it depends on. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { seedsOf } from "../fuzz/seeds.ts";
import { PackedProject } from "../lib/packed.ts";

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly mimus?: { readonly provides: Readonly<Record<string, readonly string[]>> };
}

const root = join(import.meta.dirname, "../..");
const project = new PackedProject();
const manifest = (dir: string): Manifest =>
  JSON.parse(readFileSync(join(root, dir, "package.json"), "utf8")) as Manifest;
const formats = globSync("packages/block-*/package.json", { cwd: root })
  .map((path) => dirname(path))
  .filter((dir) => (manifest(dir).mimus?.provides["block-format"]?.length ?? 0) > 0)
  .toSorted();

/** Makes, writes and reads an image of each format of a package; one that makes none has to refuse noise. */
const program = (name: string): string => `
import plugin from ${JSON.stringify(name)};
import { BlockError, createImage, MemoryFile, openImage } from "@mimus/block";
let seed = 1;
const host = {
  random: (into) => into.forEach((_, i) => (into[i] = seed = (seed * 48271) % 251)),
  now: () => 0,
  secret: async () => new TextEncoder().encode("secret"),
};
for (const format of plugin.types.filter((type) => type.kind === "block-format")) {
  const file = new MemoryFile("disk");
  if (format.class.format.create === undefined) {
    await file.write(0, new Uint8Array(100000).fill(0x55));
    const refused = await openImage(format, file, { host, readOnly: true }).catch((error) => error);
    console.log(format.name, refused instanceof BlockError ? "refuses noise" : String(refused));
    continue;
  }
  const key = format.name === "luks" ? { "key-secret": "s", "iter-time": 10 } : {};
  await createImage(format, file, 1 << 20, { host, options: key });
  const open = format.name === "luks" ? { "key-secret": "s" } : {};
  let node = await openImage(format, file, { host, options: open });
  await node.write(70000, new Uint8Array(3000).fill(7));
  await node.close();
  node = await openImage(format, file, { host, options: open, readOnly: true });
  const got = new Uint8Array(3000);
  await node.read(70000, got);
  console.log(format.name, got.every((b) => b === 7) && node.size >= 1 << 20 ? "keeps what is written" : "LOST");
  await node.close();
}
`;

/** Packages whose README's first example runs as it stands. */
const documented = ["packages/block", ...formats, "packages/block-vvfat"];

/** The first example under "Use" in a README. */
function example(dir: string): string {
  const [, text = ""] =
    /^## Use$[^]*?^```ts$\n([^]*?)^```$/m.exec(readFileSync(join(root, dir, "README.md"), "utf8")) ?? [];
  return text;
}

/** Runs example.ts with what it declares or takes: a file or archive, and a folder of the host with nothing in it. */
const EXAMPLE = `
import { existsSync, readFileSync } from "node:fs";
import { MemoryFile } from "@mimus/block";
const image = existsSync("example.img") ? new Uint8Array(readFileSync("example.img")) : new Uint8Array(0);
const time = { sec: 0, nsec: 0 };
const stat = { mode: 0o40755, uid: 0, gid: 0, size: 0, nlink: 2, rdev: 0, blockSize: 4096, blocks: 0, inode: 1 };
globalThis.file = new MemoryFile("example.img", image);
globalThis.folder = {
  readOnly: true,
  root: async () => ({}),
  list: async () => [],
  stat: async () => ({ ...stat, atime: time, mtime: time, ctime: time }),
};
const { look } = await import("./example.ts");
await look?.(image);
console.log("ran");
`;

beforeAll(() => {
  const own = new Set<string>();
  const need = (dir: string): void => {
    if (own.has(dir)) return;
    own.add(dir);
    for (const name of Object.keys(manifest(dir).dependencies ?? {}))
      if (name.startsWith("@mimus/")) need(name.replace("@mimus/", "packages/"));
      else project.link(name, dir);
  };
  for (const dir of ["packages/qom", ...documented]) need(dir);
  project.install(...own);
  project.link("zod", "packages/qom");
}, 600_000);
afterAll(() => project.remove());

it("there are formats", () => expect(formats.length).toBeGreaterThanOrEqual(12));

it.each(formats)("%s", { timeout: 60_000 }, (dir) => {
  const { name, mimus } = manifest(dir);
  const lines = project.run(program(name)).trim().split("\n");
  expect(lines.length).toBe(mimus?.provides["block-format"]?.length);
  for (const line of lines) expect(line).toMatch(/ (refuses noise|keeps what is written)$/);
});

it.each(documented)("%s: the README's example", { timeout: 60_000 }, async (dir) => {
  const text = example(dir);
  expect(text).toContain("import ");
  // What an example cannot make itself.
  if (/declare const file|archive/.test(text)) {
    const { seeds } = await seedsOf(manifest(dir).name.replace("@mimus/block-", ""));
    project.add("example.img", seeds[0]?.values().next().value ?? new Uint8Array(0));
  }
  project.add("example.ts", text);
  expect(project.run(EXAMPLE).trim().split("\n").at(-1)).toBe("ran");
});
