import type { BlockNode } from "@mimus/block";
import { Seeded } from "../random.ts";
import { RecordedFiles, SECTOR } from "./recorded-files.ts";
import type { FormatRig } from "./rig.ts";

/** How many cuts, and from which seed. */
export interface CutRun {
  /** Power cuts, spread over the history. */
  readonly cuts: number;
  /** Equal seeds give equal runs. */
  readonly seed: number;
  /** Guest requests recorded before the cuts are made. */
  readonly requests?: number;
  /** Asked after every cut: complaints about an image that may have leaks; `check` of the format itself is always asked. */
  readonly judge?: (files: ReadonlyMap<string, Uint8Array>, filename: string) => Promise<readonly string[]>;
  /** Called with the number of cuts that are done. */
  readonly progress?: (done: number) => void;
}

/** What the cuts found. */
export interface CutCounts {
  /** That were made. */
  readonly cuts: number;
  /** Cuts after which the image had leaks, which a repair gives back. */
  readonly withLeaks: number;
  /** Of acknowledged content. */
  readonly sectorsCompared: number;
}

/** What a sector may read as after a cut: the numbers of the writes that could be there; 0 = zeroes. */
type Allowed = Set<number>;
/** Stands for anything at all: what was never written, of encrypted images. */
const NOISE = -1;
/** Words of 32 bits in a sector. */
const WORDS: number = SECTOR / 4;

/**
 * Records guest requests on an image, then cuts the power at many points: also between flushes, where any of the sectors
 * written since may be there or not. After each cut the image must open for writing, have no corruption, and hold
 * what was flushed.
 * @throws Error that names the seed and the cut.
 */
export async function runCuts(rig: FormatRig, run: CutRun): Promise<CutCounts> {
  const random = new Seeded(run.seed);
  await rig.create();
  const base = rig.contents();
  rig.files.settle();
  const history = await record(rig, random, run.requests ?? 200);
  const log = [...rig.files.log];
  let [withLeaks, sectorsCompared] = [0, 0];
  for (let n = 0; n < run.cuts; n++) {
    const cut = run.cuts >= log.length ? n % (log.length + 1) : random.below(log.length + 1);
    const files = await RecordedFiles.afterCut(base, log, cut, random);
    const marks = log.slice(0, cut).flatMap((e) => (e.op === "mark" ? [e.mark] : []));
    const where = `seed ${run.seed}, cut ${n} before event ${cut} of ${log.length}`;
    try {
      const node = await rig.open({ files });
      const report = await node.image?.check?.("none");
      if (report && report.corruptions + report.checkErrors > 0)
        throw new Error(`${report.corruptions} corruptions: ${report.messages.slice(0, 3).join("; ")}`);
      if (report && report.leaks > 0) withLeaks++;
      sectorsCompared += await compare(node, history.allowedAfter(marks, rig.options.noise ? NOISE : 0));
      await rig.close();
      const complaints = await run.judge?.(contentsOf(files), rig.filename);
      if (complaints && complaints.length > 0) throw new Error(complaints.join("; "));
    } catch (e) {
      throw new Error(`${where}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
    }
    run.progress?.(n + 1);
  }
  return { cuts: run.cuts, withLeaks, sectorsCompared };
}

function contentsOf(files: { readonly files: ReadonlyMap<string, unknown> }): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  for (const [name, file] of files.files) out.set(name, (file as { content(): Uint8Array }).content());
  return out;
}

/** Guest requests by number: even marks say "begun", odd ones "ended". */
class History {
  readonly sectors: number;
  readonly requests: {
    readonly kind: "write" | "zero" | "discard" | "flush";
    readonly at: number;
    readonly count: number;
  }[] = [];

  constructor(sectors: number) {
    this.sectors = sectors;
  }

  /** What each sector may be when these marks had passed. */
  allowedAfter(marks: readonly number[], unwritten: number): Allowed[] {
    const ended = new Set(marks.filter((m) => m % 2 === 1).map((m) => (m - 1) / 2));
    const begun = marks.filter((m) => m % 2 === 0).map((m) => m / 2);
    // Writes that ended before the last ended flush began are sure.
    let lastFlush = -1;
    for (const n of begun) if (this.requests[n]?.kind === "flush" && ended.has(n)) lastFlush = n;
    const position = new Map(marks.map((m, i) => [m, i]));
    const flushBegan = lastFlush < 0 ? -1 : (position.get(2 * lastFlush) ?? -1);
    const allowed: Allowed[] = Array.from({ length: this.sectors }, () => new Set([unwritten]));
    for (const n of begun) {
      const r = this.requests[n];
      if (!r || r.kind === "flush") continue;
      const sure = (position.get(2 * n + 1) ?? Infinity) < flushBegan;
      for (let s = r.at; s < r.at + r.count; s++) {
        const set = allowed[s];
        if (!set) continue;
        if (sure && r.kind !== "discard") set.clear();
        set.add(r.kind === "write" ? n + 1 : 0);
      }
    }
    return allowed;
  }
}

async function record(rig: FormatRig, random: Seeded, requests: number): Promise<History> {
  const node = await rig.open();
  const history = new History(Math.floor(node.size / SECTOR));
  for (let n = 0; n < requests;) {
    // Up to four at once, of different sectors.
    const acts: Promise<void>[] = [];
    const busy = new Set<number>();
    for (let k = 1 + random.below(4); k > 0 && n < requests; k--) {
      const dice = random.below(12);
      const kind = dice < 7 ? "write" : dice === 7 ? "zero" : dice === 8 ? "discard" : "flush";
      const at = random.below(history.sectors);
      const count = Math.min(1 + random.below(random.below(6) === 0 ? 300 : 12), history.sectors - at);
      const touched = kind === "flush" ? [] : Array.from({ length: count }, (_, i) => at + i);
      if (touched.some((s) => busy.has(s))) continue;
      for (const s of touched) busy.add(s);
      history.requests.push({ kind, at, count });
      acts.push(request(rig, node, n++, kind, at, count));
    }
    await Promise.all(acts);
  }
  await rig.close();
  return history;
}

async function request(
  rig: FormatRig,
  node: BlockNode,
  n: number,
  kind: string,
  at: number,
  count: number,
): Promise<void> {
  rig.files.mark(2 * n);
  const [offset, length] = [at * SECTOR, count * SECTOR];
  if (kind === "write") await node.write(offset, content(n + 1, at, count));
  else if (kind === "zero") await node.writeZeroes?.(offset, length, n % 2 === 0);
  else if (kind === "discard") await node.discard?.(offset, length);
  else await node.flush();
  rig.files.mark(2 * n + 1);
}

/** Sectors that say which write they are of: 128 times the same 32-bit number. */
function content(id: number, _at: number, count: number): Uint8Array {
  return new Uint8Array(new Uint32Array((count * SECTOR) / 4).fill(id).buffer);
}

async function compare(node: BlockNode, allowed: readonly Allowed[]): Promise<number> {
  const bytes = new Uint8Array(allowed.length * SECTOR);
  await node.read(0, bytes);
  const words = new Uint32Array(bytes.buffer);
  for (const [sector, set] of allowed.entries()) {
    if (set.has(NOISE)) continue;
    const first = words[sector * WORDS] ?? 0;
    if (!isFilled(words, sector * WORDS, first)) throw new Error(`sector ${sector} is a mixture`);
    if (!set.has(first))
      throw new Error(`sector ${sector} is of write ${first}, but must be of ${[...set].join(" or ")}`);
  }
  return allowed.length;
}

/** Whether a sector's words from `at` on are all the same; apart, because it is most of the work and is compiled as a whole. */
function isFilled(words: Uint32Array, at: number, word: number): boolean {
  for (let i = at + 1; i < at + WORDS; i++) if (words[i] !== word) return false;
  return true;
}
