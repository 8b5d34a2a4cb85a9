/** Small good images of every format and sub-format, which hostile ones are made of. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packedImages } from "../../fuzz/packed-images.ts";
import { madeSeed, MORE, waysOf } from "../../fuzz/seeds.ts";
import { hasQemuImg } from "../oracle.ts";
import { allFormats, type Variant } from "../formats.ts";
import { type ByteOrder, FIELDS } from "./fields.ts";
import { NotedFiles, runTool } from "./tools.ts";

/** A good image, and how the tools are told to open it. */
export interface GoodImage {
  readonly format: string;
  /** Which way of making it: "512-byte clusters". */
  readonly name: string;
  /** The image itself first. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Options of -blockdev. */
  readonly open: Readonly<Record<string, unknown>>;
  /** Names of its header's fields. */
  readonly fields: readonly (readonly [name: string, at: number, bytes: number])[];
  readonly order: ByteOrder;
}

export const IMAGE = "disk.img";
export const PASSWORD = "open sesame";

const FURTHER: readonly Variant[] = [
  {
    format: "qcow2",
    name: "LUKS",
    create: { cluster_size: 4096, "encrypt.format": "luks", "encrypt.key-secret": "s0", "encrypt.iter-time": 10 },
    open: { "encrypt.format": "luks", "encrypt.key-secret": "s0" },
  },
  { format: "qed", name: "backing", create: { backing_file: "base.img", backing_fmt: "raw" } },
];
/** What only `qemu-img` makes: the encryption of old. */
const OLD_AES: readonly { readonly format: string; readonly open: Readonly<Record<string, unknown>> }[] = [
  { format: "qcow2", open: { "encrypt.format": "aes", "encrypt.key-secret": "s0" } },
  { format: "qcow", open: { "encrypt.format": "aes", "encrypt.key-secret": "s0" } },
];
/** Formats whose differencing images stand on one of their own. */
const DIFFERENCING = ["vpc", "vhdx", "vmdk", "qcow", "cow"];
/** Images that are only larger than others. */
const LARGE: ReadonlySet<string> = new Set(["metadata preallocated", "64k clusters"]);

/** All images of the formats; of all formats for none. A way that is not there is left out and said. */
export async function goodImages(formats: readonly string[], print: (line: string) => void): Promise<GoodImage[]> {
  const out: GoodImage[] = [];
  const wanted = (format: string): boolean => formats.length === 0 || formats.includes(format);
  for (const format of Object.keys(FIELDS).filter(wanted)) {
    const add = (
      name: string,
      files: ReadonlyMap<string, Uint8Array>,
      open: Readonly<Record<string, unknown>> = {},
    ) => {
      const { fields, order } = FIELDS[format] ?? { fields: [], order: "big" };
      out.push({ format, name, files, open, fields, order });
    };
    const packed = await packedImages(format, async () => (await stream()).get(IMAGE) ?? new Uint8Array(0));
    for (const [i, files] of packed.entries()) add(`${i + 1}`, files);
    for (const way of [
      ...waysOf(format),
      ...MORE.filter((m) => m.format === format),
      ...FURTHER.filter((m) => m.format === format),
    ])
      if (!LARGE.has(way.name)) add(way.name, await madeSeed(way), way.open);
    if (format === "vhdx") {
      const [way] = waysOf(format);
      if (way) add("log to replay", await madeSeed(way, new Map(), true));
    }
    for (const way of OLD_AES.filter((w) => w.format === format)) {
      const files = oldAes(format);
      if (files === undefined) print(`${format}: no image with AES of old: there is no qemu-img`);
      else add("AES", files, way.open);
    }
    if (DIFFERENCING.includes(format)) await differencing(format, add, print);
  }
  return out;
}

/** An empty image with AES of old; undefined where there is no qemu-img. */
function oldAes(format: string): ReadonlyMap<string, Uint8Array> | undefined {
  if (!hasQemuImg()) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "mimus-aes-"));
  try {
    const file = join(folder, IMAGE);
    const secret = `secret,id=s0,data=${PASSWORD}`;
    const options = "encrypt.format=aes,encrypt.key-secret=s0";
    const how = `driver=${format},${options},file.filename=${file}`;
    execFileSync("qemu-img", ["create", "-q", "-f", format, "--object", secret, "-o", options, file, "256k"]);
    execFileSync("qemu-io", [
      "--object",
      secret,
      "--image-opts",
      how,
      "-c",
      "write -P 90 0 8k",
      "-c",
      "write -P 90 70k 5k",
    ]);
    return new Map([[IMAGE, new Uint8Array(readFileSync(file))]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const stream = () => madeSeed({ format: "vmdk", name: "", create: { subformat: "streamOptimized" } });

/** An image on a parent of its own format, made by the tools themselves. */
async function differencing(
  format: string,
  add: (name: string, files: ReadonlyMap<string, Uint8Array>) => void,
  print: (line: string) => void,
): Promise<void> {
  const parent = `parent.${format}`;
  const files = new NotedFiles();
  const registry = allFormats();
  const run = async (tool: "img" | "io", ...args: string[]): Promise<boolean> => {
    const ended = await runTool(tool, args, files, registry, () => 0);
    if (ended.code !== 0) print(`${format}: no differencing image: ${ended.err}${ended.crash ?? ""}`);
    return ended.code === 0;
  };
  if (!(await run("img", "create", "-q", "-f", format, parent, "256k"))) return;
  if (!(await run("io", "-f", format, "-c", "write -P 90 0 128k", parent))) return;
  if (!(await run("img", "create", "-q", "-f", format, "-b", parent, "-F", format, IMAGE))) return;
  if (!(await run("io", "-f", format, "-c", "write -P 90 64k 8k", "-c", "write -P 90 150k 1k", IMAGE))) return;
  add(
    "differencing",
    new Map([
      [IMAGE, await files.read(IMAGE)],
      [parent, await files.read(parent)],
    ]),
  );
}
