/** Random operations, power cuts, failing hosts and damage, for each variant of a format; prints counts. */
import { nodeCodecs } from "@mimus/host-node";
import {
  FormatRig,
  type RigOptions,
  runCuts,
  runFaults,
  runMutations,
  runRandomOperations,
  Seeded,
} from "@mimus/testkit";
import { formatNamed, PLUGINS, selectVariants, type Variant } from "./formats.ts";
import { check, hasQemuImg, qemuImgOracle } from "./oracle.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RunOptions {
  /** Formats, or names of variants; empty = all. */
  readonly formats: readonly string[];
  readonly count: number;
  readonly seed: number;
  /** Number of the first damaged image. */
  readonly first: number;
  readonly print: (line: string) => void;
}

const SIZE = 3 * 1024 * 1024 + 512;

async function rigOptions(v: Variant): Promise<RigOptions> {
  return {
    format: await formatNamed(v.format),
    create: v.create,
    size: v.size ?? SIZE,
    plugins: PLUGINS.filter((p) => p.name !== "@mimus/block"),
    filename: `disk.${v.suffix ?? v.format}`,
    host: { codecs: nodeCodecs },
    ...(v.open === undefined ? {} : { open: v.open }),
    ...(v.noise === undefined ? {} : { noise: v.noise }),
  };
}

/** `count` random operations on each variant against a plain model; qemu-img judges at every reopen. */
export async function random(run: RunOptions): Promise<void> {
  const judge = hasQemuImg();
  if (!judge) run.print("qemu-img is not installed: images are compared with the model alone");
  await each(run, async (v, options) => {
    const oracle = judge && v.oracle !== false ? qemuImgOracle(v.format, true) : undefined;
    const counts = await runRandomOperations(new FormatRig(options), {
      operations: run.count,
      seed: run.seed,
      ...(oracle ? { oracle } : {}),
    });
    const total = Object.entries(counts).reduce((sum, [what, n]) => (what === "judged" ? sum : sum + n), 0);
    return `${total} operations (${Object.entries(counts)
      .map(([what, n]) => `${what} ${n}`)
      .join(", ")})`;
  });
}

/** `count` power cuts on each variant; qemu-img checks some of what is left. */
export async function crash(run: RunOptions): Promise<void> {
  const judge = hasQemuImg();
  await each(run, async (v, options) => {
    // A history of 250 requests has some thousand events; a new one is recorded when its cuts are used up.
    let [cuts, leaks, judged, seen] = [0, 0, 0, 0];
    const judgeSome = async (files: ReadonlyMap<string, Uint8Array>, filename: string): Promise<string[]> => {
      if (!judge || v.oracle === false || seen++ % 50 !== 0) return [];
      judged++;
      return judgeCut(v.format, files, filename);
    };
    for (let round = 0; cuts < run.count; round++) {
      const now = Math.min(1000, run.count - cuts);
      const rig = new FormatRig(options);
      leaks += (await runCuts(rig, { cuts: now, seed: run.seed + round, requests: 250, judge: judgeSome })).withLeaks;
      cuts += now;
    }
    return `${cuts} cuts, ${leaks} left leaks, ${judged} judged by qemu-img, nothing flushed lost`;
  });
}

function judgeCut(format: string, files: ReadonlyMap<string, Uint8Array>, filename: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "mimus-cut-"));
  try {
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    return check(folder, format, filename, true);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Fails each call of the host in turn, `count` calls at most. */
export async function faults(run: RunOptions): Promise<void> {
  await each(run, async (_v, options) => {
    const { failures } = await runFaults(() => new FormatRig(options), { seed: run.seed, most: run.count });
    return `${failures} calls failed one by one, nothing acknowledged lost`;
  });
}

/** Opens `count` damaged images of each variant. */
export async function fuzz(run: RunOptions): Promise<void> {
  await each(run, async (_v, options) => {
    const seeds = [];
    for (const seed of [1, 2]) seeds.push(await filled(options, seed));
    const found = await runMutations(new FormatRig(options), {
      seeds,
      runs: run.count,
      seed: run.seed,
      first: run.first,
      clock: () => performance.now(),
    });
    return `${found.runs} damaged images: ${found.opened} read, ${found.refused} refused, longest ${Math.round(found.longestMs)} ms`;
  });
}

/** A small image with content, as seed for damage. */
async function filled(options: RigOptions, seed: number): Promise<ReadonlyMap<string, Uint8Array>> {
  const rig = new FormatRig({ ...options, size: 256 * 1024 });
  await rig.create();
  const node = await rig.open();
  const random = new Seeded(seed);
  for (let n = 0; n < 4 * seed; n++) {
    const at = random.below(node.size);
    await node.write(at, random.bytes(Math.min(3000, node.size - at)));
  }
  await rig.close();
  return rig.contents();
}

async function each(run: RunOptions, act: (v: Variant, options: RigOptions) => Promise<string>): Promise<void> {
  let failed = 0;
  for (const v of selectVariants(run.formats)) {
    const start = performance.now();
    const title = `${v.format}, ${v.name}`;
    try {
      const what = await act(v, await rigOptions(v));
      run.print(`ok     ${title}: ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (e) {
      failed++;
      run.print(`FAILED ${title}: ${e instanceof Error ? e.message : String(e)}`);
    }
  }
  if (failed > 0) throw new Error(`${failed} failed`);
}
