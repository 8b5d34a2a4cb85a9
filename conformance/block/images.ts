/** Images with an EXPECTED.json: what each reads as, and what is to be done with hostile ones. */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { BlockError, BlockGraph, type BlockNode, type HostFiles, MemoryFile, MemoryFiles } from "@mimus/block";
import { allFormats, formatNamed } from "./formats.ts";
import { nodeFormatHost } from "@mimus/host-node";
import { z } from "zod";

const Stored = z.object({ file: z.string() });
const Good = z.object({
  image: z.string().optional(),
  file: z.string().optional(),
  format: z.string().optional(),
  files: z.array(Stored).optional(),
  password: z.string().nullish(),
  virtual_size: z.number().optional(),
  content_sha256: z.string().optional(),
  snapshot_sha256: z.record(z.string(), z.string()).optional(),
  info_error: z.string().optional(),
});
const Hostile = z.object({ file: z.string(), format: z.string(), want: z.string(), bug_class: z.string() });
const Expected = z.object({ images: z.array(Good).optional(), cases: z.array(Hostile).optional() });
type Good = z.output<typeof Good>;
type Hostile = z.output<typeof Hostile>;

/** Most bytes that are hashed of one image. */
const HASHED = 4 * 2 ** 30;
const PIECE = 1 << 20;

/** Goes through every folder's EXPECTED.json; prints a line for each failure and counts. @returns whether all was as expected */
export async function images(folders: readonly string[], print: (line: string) => void): Promise<boolean> {
  if (folders.length === 0) throw new Error("images: give folders that have an EXPECTED.json");
  let wrong = 0;
  for (const folder of folders) {
    const path = join(folder, "EXPECTED.json");
    if (!existsSync(path)) throw new Error(`images: '${folder}' has no EXPECTED.json`);
    const expected = Expected.parse(JSON.parse(readFileSync(path, "utf8")));
    const tally = new Map<string, number>();
    const note = (what: string, line?: string): void => {
      tally.set(what, (tally.get(what) ?? 0) + 1);
      if (line !== undefined) print(line);
      if (what === "WRONG") wrong++;
    };
    for (const good of expected.images ?? []) await readGood(folder, good, note);
    for (const hostile of expected.cases ?? []) await readHostile(folder, hostile, note);
    print(`${basename(folder)}: ${[...tally].map(([what, n]) => `${n} ${what}`).join(", ")}`);
  }
  return wrong === 0;
}

type Note = (what: string, line?: string) => void;

async function readGood(folder: string, good: Good, note: Note): Promise<void> {
  const name = good.image ?? good.file ?? "";
  try {
    if (good.format === undefined) return note("without expectation");
    const files = load(folder, good);
    const image = good.image ?? basename(good.file ?? "").replace(/\.xz$/, "");
    const graph = graphOf(files, good.password ?? "");
    const secret = good.password ? { "key-secret": "s0" } : {};
    const options = good.format === "qcow2" && good.password ? encrypted(image) : secret;
    const how = { driver: good.format, "read-only": true, ...options };
    // Of a differencing image whose parent is not at hand, what it holds itself was hashed.
    const node = await graph.openFile(image, how).catch((e: unknown) => {
      if (!(e instanceof BlockError) || e.kind !== "not-found") throw e;
      return graph.openFile(image, { ...how, backing: null });
    });
    const problems: string[] = [];
    if (good.virtual_size !== undefined && node.size !== good.virtual_size)
      problems.push(`size ${node.size}, not ${good.virtual_size}`);
    const compared = good.content_sha256 !== undefined && node.size <= HASHED;
    if (compared && (await hash(node)) !== good.content_sha256) problems.push("the content differs");
    for (const [snapshot, sha] of Object.entries(good.snapshot_sha256 ?? {})) {
      const at = await node.image?.snapshots?.open(snapshot, `snapshot-${snapshot}`);
      if (!at || (await hash(at)) !== sha) problems.push(`snapshot ${snapshot} differs`);
      await at?.close();
    }
    await graph.closeAll();
    if (problems.length > 0) note("WRONG", `WRONG ${name}: ${problems.join("; ")}`);
    else note(compared ? "read equal" : "read, too large to hash");
  } catch (e) {
    note("WRONG", `WRONG ${name}: ${e instanceof Error ? e.message : String(e)}`);
  }
}

function encrypted(image: string): Record<string, unknown> {
  return { "encrypt.format": image.includes("aes") ? "aes" : "luks", "encrypt.key-secret": "s0" };
}

async function hash(node: BlockNode): Promise<string> {
  const sha = createHash("sha256");
  const bytes = new Uint8Array(PIECE);
  for (let at = 0; at < node.size; at += PIECE) {
    const piece = bytes.subarray(0, Math.min(PIECE, node.size - at));
    await node.read(at, piece);
    sha.update(piece);
  }
  return sha.digest("hex");
}

/** A hostile image is opened as the user would, read, then opened for writing and written to. */
async function readHostile(folder: string, hostile: Hostile, note: Note): Promise<void> {
  const { file, want } = hostile;
  await formatNamed(hostile.format); // a format that is not there refuses nothing
  const image = file.replace(/\.xz$/, "");
  const bytes = unpack(join(folder, file));
  const before = heap();
  // What the image cost, not how busy the host is.
  const start = process.cpuUsage();
  const outcome = await tryHostile(folder, image, bytes, hostile.format);
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  const grown = heap() - before;
  const problems: string[] = [];
  if (outcome.internal !== undefined) problems.push(`internal error: ${outcome.internal}`);
  if (!allowed(want, outcome)) problems.push(`wanted '${want}', ${outcome.refused ?? "opened"}`);
  if (outcome.refused?.includes("\n")) problems.push("a message of several lines");
  if (!outcome.headIntact) problems.push("the header was overwritten");
  if (ms > 1000) problems.push(`took ${Math.round(ms)} ms of a processor`);
  if (grown > 64 * 2 ** 20) problems.push(`took ${Math.round(grown / 2 ** 20)} MiB`);
  if (problems.length > 0) note("WRONG", `WRONG ${file} (${hostile.bug_class}): ${problems.join("; ")}`);
  else note(outcome.refused === undefined ? "hostile opened safely" : "hostile refused");
}

interface Outcome {
  refused?: string;
  internal?: string;
  ioError: boolean;
  headIntact: boolean;
}

function allowed(want: string, o: Outcome): boolean {
  if (want === "refuse" || want === "policy") return o.refused !== undefined;
  if (want === "ok") return o.refused === undefined;
  // ok-io-error: it opens, and a part may be unreadable; the rest leaves the choice.
  return want !== "ok-io-error" || o.refused === undefined;
}

async function tryHostile(folder: string, image: string, bytes: Uint8Array, format: string): Promise<Outcome> {
  const outcome: Outcome = { ioError: false, headIntact: true };
  for (const readOnly of [true, false]) {
    const files = neighbours(folder);
    const disk = new MemoryFile(image, bytes);
    files.add(image, disk);
    const graph = graphOf(files, "secret");
    const data = new Uint8Array(65536).fill(0x5a);
    try {
      const more = format === "luks" ? { "key-secret": "s0" } : {};
      const node = await graph.openFile(image, { driver: format, "read-only": readOnly, ...more });
      const piece = data.subarray(0, Math.min(data.length, node.size));
      await (readOnly ? node.read(0, piece) : node.write(0, piece)).catch((e: unknown) => {
        if (!(e instanceof BlockError)) throw e;
        outcome.ioError = true;
      });
      await node.flush().catch((e: unknown) => {
        if (!(e instanceof BlockError)) throw e;
      });
    } catch (e) {
      if (e instanceof BlockError) {
        if (readOnly) outcome.refused = e.message;
      } else outcome.internal = e instanceof Error ? (e.stack ?? e.message) : String(e);
    }
    await graph.closeAll().catch(() => undefined);
    // The magic of the format stays, whatever tables point at.
    const head = new Uint8Array(8);
    await disk.read(0, head);
    if (format !== "raw" && head.every((b) => b === 0x5a)) outcome.headIntact = false;
  }
  return outcome;
}

/** Other images of the folder are opened only when one is named. */
function neighbours(folder: string): MemoryFiles {
  const files = new MemoryFiles();
  const { open } = files;
  files.open = async (path, opts) => {
    const stored = join(folder, `${path}.xz`);
    if (!files.files.has(path) && dirname(path) === "." && existsSync(stored)) files.add(path, unpack(stored));
    return open.call(files, path, opts);
  };
  return files;
}

function graphOf(files: HostFiles, password: string): BlockGraph {
  const format = nodeFormatHost(async () => new TextEncoder().encode(password));
  return new BlockGraph({ registry: allFormats(), files, warn: () => undefined, format });
}

function load(folder: string, good: Good): MemoryFiles {
  const files = new MemoryFiles();
  if (good.files) for (const { file } of good.files) files.add(file.replace(/\.xz$/, ""), unpack(join(folder, file)));
  else if (good.file !== undefined) {
    // The list of third-party images names them from its parent folder.
    const path = [join(folder, good.file), join(dirname(folder), good.file)].find((p) => existsSync(p));
    if (path === undefined) throw new Error("no such file");
    files.add(basename(good.file).replace(/\.xz$/, ""), unpack(path));
  }
  return files;
}

function unpack(path: string): Uint8Array {
  if (!path.endsWith(".xz")) return readFileSync(path);
  const { status, stdout, stderr } = spawnSync("xz", ["-dc", path], { maxBuffer: 2 ** 31 });
  if (status !== 0) throw new Error(`xz -dc ${path}: ${String(stderr)}`);
  return stdout;
}

function heap(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
