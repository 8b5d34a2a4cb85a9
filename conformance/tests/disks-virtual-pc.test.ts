/** VHD, VHDX, Parallels and qcow images: what we write qemu-img and libyal read, and what qemu-img writes we do. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlockFormat, type BlockNode, createImage, MemoryFile, openImage, statusOf } from "@mimus/block";
import { parallels } from "@mimus/block-parallels";
import { qcow } from "@mimus/block-qcow";
import { vhdx } from "@mimus/block-vhdx";
import { vpc } from "@mimus/block-vpc";
import { DiskModel, Seeded, testHost } from "@mimus/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Way {
  readonly format: BlockFormat;
  /** Options of `create` as -o has them. */
  readonly options: string;
  readonly size?: number;
  /** qemu-img knows where data lies. */
  readonly maps?: boolean;
  readonly open?: Readonly<Record<string, unknown>>;
  readonly encrypted?: boolean;
}

const MIB = 1 << 20;
const SIZE = 9 * MIB;
const WAYS: readonly Way[] = [
  { format: vpc, options: "subformat=dynamic,force_size=on", maps: true },
  { format: vpc, options: "subformat=fixed,force_size=on" },
  { format: vpc, options: "subformat=dynamic", maps: true },
  { format: vpc, options: "subformat=fixed" },
  { format: vhdx, options: "subformat=dynamic" },
  { format: vhdx, options: "subformat=fixed" },
  { format: vhdx, options: "block_size=1M,log_size=2M" },
  { format: vhdx, options: "block_size=2M,block_state_zero=off" },
  { format: vhdx, options: "block_size=64M" },
  { format: vhdx, options: "subformat=fixed,block_size=1M", size: 3 * MIB + 512 },
  { format: parallels, options: "", maps: true },
  { format: parallels, options: "cluster_size=64k", maps: true },
  { format: parallels, options: "cluster_size=512", maps: true },
  { format: parallels, options: "cluster_size=3M", maps: true },
  { format: qcow, options: "", maps: true },
  {
    format: qcow,
    options: "encrypt.format=aes,encrypt.key-secret=s",
    open: { encrypt: { "key-secret": "s" } },
    encrypted: true,
  },
];

const has = (tool: string): boolean => spawnSync(tool, ["-V"]).error === undefined;
const missing = ["qemu-img", "vhdiinfo", "qcowinfo"].filter((t) => !has(t));
if (missing.length > 0) console.warn(`disks: ${missing.join(", ")} not installed: those comparisons are left out`);
const PASSWORD = "open sesame";
const host = testHost();
let folder = "";

function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
  expect(status, `${tool} ${args.join(" ")}: ${stderr}${stdout}`).toBe(0);
  return stdout;
}

const secret = (way: Way): string[] => (way.encrypted ? ["--object", `secret,id=s,data=${PASSWORD}`] : []);
const source = (way: Way, name: string): string[] =>
  way.encrypted
    ? ["--image-opts", `driver=qcow,file.filename=${name},encrypt.key-secret=s`]
    : ["-f", way.format.name, name];

function optionsOf(text: string): Record<string, unknown> {
  return Object.fromEntries(text.split(",").flatMap((o) => (o === "" ? [] : [o.split("=") as [string, string]])));
}

async function open(way: Way, file: MemoryFile, readOnly: boolean): Promise<BlockNode> {
  return openImage(way.format, file, { readOnly, host, ...(way.open ? { options: way.open } : {}) });
}

/** Random writes and zeroes, to image and model. */
async function scribble(node: BlockNode, model: DiskModel, random: Seeded): Promise<void> {
  for (let n = 0; n < 60; n++) {
    const at = random.below(model.size - 1);
    const length = Math.min(model.size - at, 1 + random.below(random.below(8) === 0 ? 300_000 : 6000));
    if (random.below(5) === 0) {
      await node.writeZeroes?.(at, length, random.below(2) === 0);
      model.zero(at, length);
    } else {
      const bytes = random.bytes(length);
      await node.write(at, bytes);
      model.write(at, bytes);
    }
  }
}

/** What qemu-img and libyal say of an image that reads as the model. */
function judge(way: Way, name: string, model: DiskModel): void {
  if (missing.includes("qemu-img")) return;
  if (!["vpc", "qcow"].includes(way.format.name)) run("qemu-img", "check", "-f", way.format.name, name);
  run("qemu-img", "convert", ...secret(way), ...source(way, name), "-O", "raw", "out.raw");
  const got = readFileSync(join(folder, "out.raw"));
  expect(got.length).toBe(model.size);
  expect(model.difference(0, got)).toBeUndefined();
  if (["vpc", "vhdx"].includes(way.format.name) && !missing.includes("vhdiinfo"))
    expect(run("vhdiinfo", name)).toContain(`(${model.size} bytes)`);
  if (way.format.name === "qcow" && !missing.includes("qcowinfo"))
    expect(run("qcowinfo", name)).toContain(`(${model.size} bytes)`);
}

async function mapOf(node: BlockNode): Promise<string[]> {
  const runs: { at: number; length: number; data: boolean; place: number }[] = [];
  for (let at = 0; at < node.size;) {
    const s = await statusOf(node, at, node.size - at);
    const place = s.data ? (s.offset ?? -1) : -1;
    const last = runs.at(-1);
    if (last && last.data === s.data && (place < 0 || place === last.place + last.length)) last.length += s.length;
    else runs.push({ at, length: s.length, data: s.data, place });
    at += s.length;
  }
  return runs.map((r) => `${r.at}+${r.length} ${r.data ? `data at ${r.place}` : "zero"}`);
}

function qemuMap(name: string, format: string): string[] {
  const all = JSON.parse(run("qemu-img", "map", "--output=json", "-f", format, name)) as {
    start: number;
    length: number;
    data: boolean;
    offset?: number;
  }[];
  return all.map((r) => `${r.start}+${r.length} ${r.data ? `data at ${r.offset}` : "zero"}`);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mimus-disks-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(WAYS)("$format.name, $options", (way) => {
  const { name } = way.format;
  const size = way.size ?? SIZE;

  it("reads elsewhere as it was written here", { timeout: 60_000 }, async () => {
    const file = new MemoryFile("disk.img");
    await createImage(way.format, file, size, { host, options: optionsOf(way.options) });
    const node = await open(way, file, false);
    const model = new DiskModel(node.size);
    await scribble(node, model, new Seeded(3));
    await node.close();
    writeFileSync(join(folder, "ours.img"), file.content());
    judge(way, "ours.img", model);
  });

  it.skipIf(missing.includes("qemu-img"))(
    "reads here, and can be changed, as it was written elsewhere",
    { timeout: 60_000 },
    async () => {
      const model = new DiskModel(size);
      const random = new Seeded(11);
      for (let n = 0; n < 12; n++) {
        const bytes = random.bytes(1 + random.below(100_000));
        model.write(random.below(size - bytes.length), bytes);
      }
      writeFileSync(join(folder, "in.raw"), model.bytes);
      const o = way.options === "" ? [] : ["-o", way.options];
      run("qemu-img", "convert", ...secret(way), "-f", "raw", "-O", name, ...o, "in.raw", "theirs.img");
      const file = new MemoryFile("theirs.img", new Uint8Array(readFileSync(join(folder, "theirs.img"))));
      const node = await open(way, file, true);
      model.resize(node.size);
      const info = JSON.parse(run("qemu-img", "info", "--output=json", "-f", name, "theirs.img")) as Record<
        string,
        unknown
      >;
      expect(node.size).toBe(info["virtual-size"]);
      if (info["cluster-size"] !== undefined) expect(node.image?.clusterSize).toBe(info["cluster-size"]);
      const all = new Uint8Array(node.size);
      await node.read(0, all);
      expect(model.difference(0, all)).toBeUndefined();
      const report = await node.image?.check?.("none");
      if (report) expect(report).toMatchObject({ corruptions: 0, leaks: 0 });
      if (way.maps) expect(await mapOf(node)).toEqual(qemuMap("theirs.img", name));
      await node.close();
      const writable = await open(way, file, false);
      await scribble(writable, model, random);
      await writable.close();
      writeFileSync(join(folder, "changed.img"), file.content());
      judge(way, "changed.img", model);
    },
  );
});
