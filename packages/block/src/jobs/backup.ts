import { allocatedAbove, backingOf, readPadded } from "../chain.ts";
import type { DirtyBitmap } from "../dirty-bitmap.ts";
import { Bitmap } from "../dirty-bitmap.ts";
import { asBlockError } from "../errors.ts";
import type { BlockGraph } from "../graph.ts";
import type { GraphNode, WriteHook } from "../graph-node.ts";
import { isZero } from "../node.ts";
import { RangeLock } from "../range-lock.ts";
import { CHUNK, jobRead, jobWrite } from "./copy.ts";
import type { Job, JobBody } from "./job.ts";

/** What a backup copies, and how. `bitmap` belongs to the sync modes that go by one. */
export interface BackupOptions {
  /** All of the disk ("full"), what the topmost image holds ("top"), nothing but what is overwritten ("none"), or what `bitmap` marks. */
  readonly sync: "full" | "top" | "none" | "bitmap";
  /** What changed since an earlier backup; needed for "bitmap". */
  readonly bitmap?: DirtyBitmap;
  /** When the bitmap is reset to what is still to copy. */
  readonly bitmapMode?: "on-success" | "never" | "always";
  /** The target stores clusters compressed: its format must be able to. */
  readonly compress?: boolean;
  /** The job opened the target for itself: it closes when the job is over. */
  readonly releaseTarget?: boolean;
}

/** Copies a disk as it is at one moment, while it goes on being written. */
export class BackupBody implements JobBody, WriteHook {
  readonly #graph: BlockGraph;
  readonly #source: GraphNode;
  readonly #target: GraphNode;
  readonly #options: BackupOptions;
  /** What is still to be copied as it was. */
  readonly #todo: Bitmap;
  readonly #lock = new RangeLock();
  #job: Job | undefined;
  #failure: unknown;
  #begun = false;

  constructor(graph: BlockGraph, source: GraphNode, target: GraphNode, options: BackupOptions) {
    this.#graph = graph;
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#todo = new Bitmap(source.size, Math.max(65536, target.image?.clusterSize ?? 0));
  }

  /** The node that is written. */
  get target(): GraphNode {
    return this.#target;
  }

  /** The moment: from here on old bytes are kept. Without waiting, inside a drained section. */
  begin(at: number, length: number): Promise<undefined> {
    return this.#keep(at, length);
  }
  /** Takes the moment; the caller has drained the source. */
  freeze(): void {
    if (this.#begun) return;
    this.#begun = true;
    const { sync, bitmap } = this.#options;
    if (sync === "bitmap" && bitmap) this.#todo.merge(bitmap.bits);
    else this.#todo.mark(0, this.#source.size);
    bitmap?.freeze();
    this.#source.hooks.add(this);
  }

  attach(job: Job): void {
    this.#job = job;
  }

  async run(job: Job): Promise<void> {
    const { sync } = this.#options;
    const source = this.#source;
    if (!this.#begun) await this.#graph.drained([source], () => this.freeze());
    if (sync === "top") await this.#onlyTop();
    job.total = sync === "none" ? source.size : this.#todo.bytes;
    if (sync === "none") {
      // Copies only what the guest overwrites, until it is cancelled.
      while (!job.cancelled) {
        await job.idle(1e8);
        await job.pausePoint();
        if (this.#failure !== undefined) throw this.#failure;
      }
      return;
    }
    const inFlight = new Set<Promise<void>>();
    let at = 0;
    try {
      while (!job.cancelled && this.#failure === undefined) {
        const range = this.#todo.next(at, CHUNK);
        if (!range) break;
        at = range.at + range.length;
        const copy = this.#copy(job, range.at, range.length)
          .then(() => job.breathe(range.length))
          .catch((e: unknown) => {
            this.#failure ??= e;
          })
          .finally(() => inFlight.delete(copy));
        inFlight.add(copy);
        if (inFlight.size >= 8) await Promise.race(inFlight);
        await job.breathe(0);
      }
    } finally {
      await Promise.all(inFlight);
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (!job.cancelled) await this.#target.flush();
  }

  async #onlyTop(): Promise<void> {
    const source = this.#source;
    const stop = backingOf(source);
    for (let at = 0; at < source.size;) {
      const found = await allocatedAbove(source, stop, at, source.size - at);
      // Only whole granules: one that is allocated in part is copied.
      if (!found.allocated) {
        const { granularity } = this.#todo;
        const from = Math.ceil(at / granularity) * granularity;
        const to =
          at + found.length >= source.size ? source.size : Math.floor((at + found.length) / granularity) * granularity;
        if (to > from) this.#todo.unmark(from, to - from);
      }
      at += found.length;
    }
  }

  /** Before the guest overwrites: a failure here fails the backup, never the guest. */
  async #keep(at: number, length: number): Promise<undefined> {
    const job = this.#job;
    try {
      if (job && !job.cancelled && this.#failure === undefined) await this.#copy(job, at, length);
    } catch (e) {
      this.#failure ??= asBlockError(e, "copy before write");
    }
    return undefined;
  }

  async #copy(job: Job, at: number, length: number): Promise<void> {
    const { granularity } = this.#todo;
    const start = at - (at % granularity);
    const end = Math.min(this.#source.size, Math.ceil((at + length) / granularity) * granularity);
    await this.#lock.run(start, end - start, async () => {
      for (let here = start; here < end;) {
        const range = this.#todo.next(here, Math.min(CHUNK, end - here));
        if (!range || range.at >= end) break;
        const piece = Math.min(range.length, end - range.at);
        const bytes = new Uint8Array(piece);
        // The inner node: a request of the guest that waits here must not wait for itself.
        if (await jobRead(job, () => readPadded(this.#source.inner, range.at, bytes)))
          await this.#write(job, range.at, bytes);
        this.#todo.unmark(range.at, piece);
        job.current = this.#options.sync === "none" ? job.current + piece : Math.max(0, job.total - this.#todo.bytes);
        here = range.at + piece;
      }
    });
  }

  async #write(job: Job, at: number, bytes: Uint8Array): Promise<void> {
    const { writeCompressed, clusterSize = bytes.length } = this.#target.image ?? {};
    if (!this.#options.compress || !writeCompressed || isZero(bytes)) {
      await jobWrite(job, this.#target, at, bytes);
      return;
    }
    for (let done = 0; done < bytes.length; done += clusterSize)
      await writeCompressed.call(this.#target.image, at + done, bytes.subarray(done, done + clusterSize));
  }

  /** Keeps or resets the bitmap, as `bitmapMode` says. */
  commit(): void {
    this.#endBitmap(true);
  }
  /** The same after a failure: what could not be copied stays marked. */
  abort(): void {
    this.#endBitmap(false);
  }

  #endBitmap(ok: boolean): void {
    const { bitmap, bitmapMode = "on-success" } = this.#options;
    if (!bitmap || !this.#begun) return;
    const reset = bitmapMode === "always" || (bitmapMode === "on-success" && ok);
    bitmap.thaw(!reset);
    // What could not be copied stays marked.
    if (reset && !ok) bitmap.bits.merge(this.#todo);
  }

  clean(): void {
    this.#source.hooks.delete(this);
    if (this.#options.releaseTarget) this.#target.monitor = false;
  }
}
