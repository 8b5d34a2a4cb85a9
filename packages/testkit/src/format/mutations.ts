import { asBlockError, BlockError, type BlockNode, MemoryFiles } from "@mimus/block";
import { Seeded } from "../random.ts";
import { Damage } from "./damage.ts";
import { DirectOpener } from "./direct-opener.ts";
import { PatchedFile } from "./patched-file.ts";
import { describeFailure, isRefusal } from "./refusal.ts";
import type { FormatRig } from "./rig.ts";
import { ScratchFile } from "./scratch-file.ts";

/** What a run of mutations did. */
export interface MutationCounts {
  /** Images that were tried. */
  readonly runs: number;
  /** Of them, opened and used. */
  readonly opened: number;
  /** Of them, refused with a BlockError. */
  readonly refused: number;
  /** Opened for writing, and written to. */
  readonly written: number;
  /** Looked at by `check`, or repaired. */
  readonly checked: number;
  /** The longest open and look, milliseconds. */
  readonly longestMs: number;
}

/** Makes checksums right again after some damage, so that what stands behind them is reached. */
export type Reseal = (file: ScratchFile) => void;

/** How many damaged images, and from which seed. */
export interface MutationRun {
  /** Images to begin with: their files, the image itself first. */
  readonly seeds: readonly ReadonlyMap<string, Uint8Array>[];
  /** Images to damage and open. */
  readonly runs: number;
  /** Equal seeds give equal runs. */
  readonly seed: number;
  /** Number of the first run, to repeat one that failed. Default 0. */
  readonly first?: number;
  /** Milliseconds since any moment, to find slow images. */
  readonly clock?: () => number;
  /** A better clock that costs more, for images that seemed slow: time of a processor. */
  readonly exactClock?: () => number;
  /** Longest time that opening, reading and writing one image may take; a repair may take ten times that. Default 1,000. */
  readonly limitMs?: number;
  /** Bytes of buffers that were asked for until now, to find greedy images. */
  readonly allocated?: () => number;
  /** Most bytes of buffers that opening an image may ask for, all in all. Default 64 MiB. */
  readonly limitBytes?: number;
  /** Makes checksums right again after the damage, in seven of eight runs. */
  readonly reseal?: Reseal;
  /** Every that-many-th image is opened by a whole block graph, the others by the format alone. Default 256. */
  readonly graphEvery?: number;
  /** Told the number of each run before it begins. */
  readonly started?: (run: number) => void;
  /** Told now and then; true ends the runs. */
  readonly progress?: (done: number) => boolean | void;
}

/** Of so many images that are taken one is used thoroughly: several places, snapshots, bitmaps; half of them are checked. */
const THOROUGH = 16;
/** Runs between two reports of progress. */
const REPORT = 256;

/**
 * Opens images with damage: each is read or refused with a BlockError that is no mistake of ours, in one line that names
 * the image, in time. Damage is undone after each run, so that a run costs what the parser does and little more.
 * @throws Error that names seed and run.
 */
export async function runMutations(rig: FormatRig, run: MutationRun): Promise<MutationCounts> {
  const fuzzer = new Fuzzer(rig, run);
  const first = run.first ?? 0;
  let n = first;
  while (n < first + run.runs) {
    run.started?.(n);
    await fuzzer.one(n++);
    if ((n - first) % REPORT === 0 && run.progress?.(n - first) === true) break;
  }
  return fuzzer.counts(n - first);
}

/** One seed image: its files as they are changed and read. */
interface Subject {
  readonly files: readonly ScratchFile[];
  readonly damage: Damage;
  readonly opener: DirectOpener;
}

class Fuzzer {
  readonly #rig: FormatRig;
  readonly #run: MutationRun;
  readonly #subjects: readonly Subject[];
  readonly #counts: { opened: number; refused: number; written: number; checked: number; longestMs: number };
  #clock: (() => number) | undefined;
  readonly #buffer: Uint8Array = new Uint8Array(4096).fill(0x5a);

  constructor(rig: FormatRig, run: MutationRun) {
    this.#rig = rig;
    this.#run = run;
    this.#counts = { opened: 0, refused: 0, written: 0, checked: 0, longestMs: 0 };
    this.#subjects = run.seeds.map((seed) => {
      const files = [...seed].map(([name, bytes]) => new ScratchFile(name, bytes));
      return { files, damage: new Damage(seed), opener: new DirectOpener(rig, files) };
    });
  }

  counts(runs: number): MutationCounts {
    return { runs, ...this.#counts };
  }

  async one(n: number): Promise<void> {
    let ms = await this.#timed(n);
    const limit = this.#run.limitMs ?? 1000;
    if (ms > limit) ms = await this.#again(n, ms, limit);
    if (ms > this.#counts.longestMs) this.#counts.longestMs = ms;
  }

  /** Somebody else may have had the processor: what is slow is slow three times. @returns milliseconds */
  async #again(n: number, first: number, limit: number): Promise<number> {
    const counts = { ...this.#counts };
    let ms = first;
    for (let again = 0; again < 2 && ms > limit; again++) ms = Math.min(ms, await this.#timed(n, this.#run.exactClock));
    Object.assign(this.#counts, counts);
    if (ms > limit) throw this.#error(n, `took ${Math.round(ms)} ms`);
    return ms;
  }

  #error(n: number, what: string, cause?: unknown): Error {
    return new Error(`seed ${this.#run.seed}, run ${n}: ${what}`, cause === undefined ? {} : { cause });
  }

  /** Damages, opens, looks, undoes. @returns milliseconds; of a repair a tenth */
  async #timed(n: number, clock = this.#run.clock): Promise<number> {
    this.#clock = clock;
    const { seed, seeds, graphEvery = 256 } = this.#run;
    const subject = this.#subjects[n % seeds.length];
    if (subject === undefined) throw new RangeError("no image to damage");
    const random = new Seeded((Math.imul(seed, 0x9e3779b1) + Math.imul(n, 0x85ebca6b)) >>> 0);
    // The first numbers of small seeds are alike.
    for (let k = 0; k < 4; k++) random.next();
    const { files, damage } = subject;
    damage.apply(files, random);
    if (this.#run.reseal && random.below(8) !== 0) for (const file of files) this.#run.reseal(file);
    const readOnly = random.below(4) !== 0;
    const start = clock?.() ?? 0;
    let ms: number;
    try {
      ms = await (n % graphEvery === graphEvery - 1
        ? this.#inGraph(n, files, readOnly, random, start)
        : this.#alone(n, subject, readOnly, random, start));
    } finally {
      for (const file of files) file.undo();
    }
    return ms;
  }

  async #alone(n: number, { files, opener }: Subject, readOnly: boolean, random: Seeded, start: number) {
    const { allocated, limitBytes = 1 << 26 } = this.#run;
    const clock = this.#clock;
    const before = allocated?.() ?? 0;
    for (const file of files) file.readOnly = readOnly;
    let node: BlockNode;
    try {
      node = await opener.open(readOnly);
    } catch (e) {
      this.#refused(n, e);
      this.#greedy(n, (allocated?.() ?? 0) - before, limitBytes);
      return (clock?.() ?? 0) - start;
    }
    this.#greedy(n, (allocated?.() ?? 0) - before, limitBytes);
    return this.#used(n, node, readOnly, random, start, () => node.close());
  }

  async #inGraph(n: number, files: readonly ScratchFile[], readOnly: boolean, random: Seeded, start: number) {
    const host = new MemoryFiles();
    for (const file of files) host.add(file.name, patched(file));
    let node: BlockNode;
    try {
      node = await this.#rig.open({ files: host, readOnly });
    } catch (e) {
      this.#refused(n, e);
      return (this.#clock?.() ?? 0) - start;
    }
    return this.#used(n, node, readOnly, random, start, () => this.#rig.close());
  }

  #greedy(n: number, bytes: number, limit: number): void {
    if (bytes > limit) throw this.#error(n, `opening asked for ${bytes} bytes of memory`);
  }

  /** @throws Error when it is no proper refusal */
  #refused(n: number, e: unknown): void {
    const error = this.#proper(n, e);
    const { message } = error;
    if (!/'[^']*'/.test(message)) throw this.#error(n, `a message that names no file: ${message}`, e);
    this.#counts.refused++;
  }

  #proper(n: number, e: unknown): BlockError {
    const error = asBlockError(e, "Could not open");
    if (!isRefusal(error)) throw this.#error(n, describeFailure(e), e);
    if (error.message.includes("\n")) throw this.#error(n, `a message of several lines: ${error.message}`, e);
    if (error.message.length > 4000) throw this.#error(n, `a message of ${error.message.length} characters`, e);
    return error;
  }

  /** Reads, writes and checks an image that was opened. */
  async #used(
    n: number,
    node: BlockNode,
    readOnly: boolean,
    random: Seeded,
    start: number,
    close: () => Promise<void>,
  ): Promise<number> {
    const clock = this.#clock;
    const thorough = random.below(THOROUGH) === 0;
    this.#counts.opened++;
    if (!readOnly) this.#counts.written++;
    try {
      if (thorough) await this.#describe(node, random);
      await this.#look(node, thorough, random);
    } catch (e) {
      this.#proper(n, e);
    }
    const looked = clock?.() ?? 0;
    if (thorough && random.below(2) === 0) {
      this.#counts.checked++;
      try {
        await node.image?.check?.(readOnly ? "none" : "all");
      } catch (e) {
        this.#proper(n, e);
      }
    }
    try {
      await close();
    } catch (e) {
      this.#proper(n, e);
    }
    return Math.max(looked - start, ((clock?.() ?? 0) - start) / 10);
  }

  /** Reads and writes: one place of most images, some of those that are used thoroughly. */
  async #look(node: BlockNode, thorough: boolean, random: Seeded): Promise<void> {
    const { size } = node;
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`a disk of ${size} bytes`);
    const into = this.#buffer.subarray(0, Math.min(size, thorough ? this.#buffer.length : 512));
    const places = [0, Math.floor(random.below(1000) * (size / 1000)), size - into.length];
    const first = random.below(3);
    for (const at of size === 0 ? [] : thorough ? places : places.slice(first, first + 1)) {
      const inside = Math.max(0, Math.min(at, size - into.length));
      await tolerant(node.read(inside, into));
      const status = await tolerant(node.blockStatus?.(inside, size - inside));
      if (status && !(status.length >= 1 && status.length <= size - inside))
        throw new RangeError(`a block status of ${status.length} bytes at ${inside} of ${size}`);
      if (node.readOnly) continue;
      await tolerant(node.write(inside, into.fill(0x5a)));
      if (random.below(4) === 0) await tolerant(node.writeZeroes?.(inside, into.length, true));
    }
    if (!node.readOnly) await tolerant(node.flush());
  }

  /** What the image says of itself, its snapshots and bitmaps. */
  async #describe(node: BlockNode, random: Seeded): Promise<void> {
    const { image } = node;
    await tolerant(image?.info?.());
    const [snapshot] = (await tolerant(image?.snapshots?.list())) ?? [];
    if (snapshot && image?.snapshots && random.below(2) === 0) {
      const old = await tolerant(image.snapshots.open(snapshot.id, "old"));
      if (old && old.size > 0) await tolerant(old.read(0, this.#buffer.subarray(0, Math.min(old.size, 512))));
      await tolerant(old?.close());
    }
    const [bitmap] = (await tolerant(image?.bitmaps?.list())) ?? [];
    if (bitmap && random.below(2) === 0) await tolerant(image?.bitmaps?.load(bitmap.name));
  }
}

function patched(file: ScratchFile): PatchedFile {
  const out = new PatchedFile(file.name, file.bytes);
  if (file.length !== file.bytes.length) out.cut(file.length);
  return out;
}

/** A part of an image may be unreadable: that is an answer, too. */
async function tolerant<T>(act: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await act;
  } catch (e) {
    if (!isRefusal(asBlockError(e, "Could not look"))) throw e;
    return undefined;
  }
}
