import { type BlockNode, MemoryFiles } from "@mimus/block";
import { Seeded } from "../random.ts";
import { PatchedFile } from "./patched-file.ts";
import { describeFailure, isRefusal } from "./refusal.ts";
import type { FormatRig } from "./rig.ts";

/** What a run of mutations did. */
export interface MutationCounts {
  readonly runs: number;
  readonly opened: number;
  readonly refused: number;
  /** The longest open and look, milliseconds. */
  readonly longestMs: number;
}

export interface MutationRun {
  /** Images to begin with: their files, the image itself first. */
  readonly seeds: readonly ReadonlyMap<string, Uint8Array>[];
  readonly runs: number;
  readonly seed: number;
  /** Number of the first run, to repeat one that failed. Default 0. */
  readonly first?: number;
  /** Milliseconds since any moment, to find slow images. */
  readonly clock?: () => number;
  /** Longest time that opening, reading and writing one image may take; a repair may take ten times that. Default 1,000. */
  readonly limitMs?: number;
  readonly progress?: (done: number) => void;
}

/** Values at which parsers break. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x1ff, 0x200, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/**
 * Opens images with damage: each is read or refused with a BlockError that is no mistake of ours, in time.
 * @throws Error that names seed and run.
 */
export async function runMutations(rig: FormatRig, run: MutationRun): Promise<MutationCounts> {
  let [opened, refused, longestMs] = [0, 0, 0];
  const first = run.first ?? 0;
  for (let n = first; n < first + run.runs; n++) {
    const random = new Seeded((run.seed * 0x9e3779b1 + n * 0x85ebca6b) >>> 0);
    const seed = run.seeds[n % run.seeds.length] ?? new Map<string, Uint8Array>();
    const files = damaged(seed, rig.filename, random);
    const start = run.clock?.() ?? 0;
    let looked: number | undefined;
    try {
      const node = await rig.open({ files, readOnly: random.below(4) !== 0 });
      await look(node, random);
      opened++;
      looked = run.clock?.() ?? 0;
      if (random.below(4) === 0) await tolerant(async () => node.image?.check?.(node.readOnly ? "none" : "all"));
    } catch (e) {
      if (!isRefusal(e)) throw new Error(`seed ${run.seed}, run ${n}: ${describeFailure(e)}`, { cause: e });
      if (/\n/.test(e.message))
        throw new Error(`seed ${run.seed}, run ${n}: a message of several lines: ${e.message}`, { cause: e });
      refused++;
    }
    await rig.close().catch((e: unknown) => {
      if (!isRefusal(e)) throw e;
    });
    const end = run.clock?.() ?? 0;
    const ms = (looked ?? end) - start;
    longestMs = Math.max(longestMs, ms);
    const limit = run.limitMs ?? 1000;
    if (ms > limit) throw new Error(`seed ${run.seed}, run ${n}: took ${Math.round(ms)} ms`);
    if (end - start > 10 * limit)
      throw new Error(`seed ${run.seed}, run ${n}: its repair took ${Math.round(end - start - ms)} ms`);
    run.progress?.(n + 1 - first);
  }
  return { runs: run.runs, opened, refused, longestMs };
}

/** Copies with a few changes: single bits, edge values in fields, cut ends; mostly near the start, where headers are. */
function damaged(seed: ReadonlyMap<string, Uint8Array>, image: string, random: Seeded): MemoryFiles {
  const files = new MemoryFiles();
  for (const [name, content] of seed) {
    const file = new PatchedFile(name, content);
    files.add(name, file);
    if (name !== image && random.below(3) > 0) continue;
    let { length } = content;
    for (let k = 1 + random.below(4); k > 0 && length > 0; k--) {
      const range = [64, 512, 4096, length][random.below(4)] ?? length;
      const at = random.below(Math.min(range, length));
      const dice = random.below(10);
      if (dice < 4) file.patch(at, new Uint8Array([(content[at] ?? 0) ^ (1 << random.below(8))]));
      else if (dice < 9) edge(file, length, at, random);
      else file.cut((length = at));
    }
  }
  return files;
}

function edge(file: PatchedFile, length: number, at: number, random: Seeded): void {
  const width = [1, 2, 4, 8][random.below(4)] ?? 4;
  const start = at - (at % width);
  if (start + width > length) return;
  const value = EDGES[random.below(EDGES.length)] ?? 0;
  const view = new DataView(new ArrayBuffer(width));
  const little = random.below(2) === 0;
  if (width === 1) view.setUint8(0, value);
  else if (width === 2) view.setUint16(0, value, little);
  else {
    if (width === 8) view.setUint32(0, random.below(3) === 0 ? 0xffffffff : 0);
    view.setUint32(width - 4, value, little);
  }
  file.patch(start, new Uint8Array(view.buffer));
}

async function look(node: BlockNode, random: Seeded): Promise<void> {
  const { size, image } = node;
  await image?.info?.();
  if (size === 0) return;
  const into = new Uint8Array(Math.min(size, 4096));
  for (const at of [0, Math.floor(random.below(1000) * (size / 1000)), size - into.length]) {
    const inside = Math.max(0, Math.min(at, size - into.length));
    await tolerant(() => node.read(inside, into));
    await tolerant(async () => node.blockStatus?.(inside, size - inside));
    if (!node.readOnly) await tolerant(() => node.write(inside, into));
  }
  await tolerant(async () => image?.snapshots?.list());
  await tolerant(async () => image?.bitmaps?.list());
}

/** A part of an image may be unreadable: that is an answer, too. */
async function tolerant(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (e) {
    if (!isRefusal(e)) throw e;
  }
}
