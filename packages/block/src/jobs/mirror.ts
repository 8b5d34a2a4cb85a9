import { allocatedAbove, backingOf, skipFilters } from "../chain.ts";
import { Bitmap } from "../dirty-bitmap.ts";
import { BlockError } from "../errors.ts";
import type { BlockGraph } from "../graph.ts";
import type { GraphNode, WriteHook } from "../graph-node.ts";
import { RangeLock } from "../range-lock.ts";
import { CHUNK, jobRead, jobWrite } from "./copy.ts";
import type { Job, JobBody } from "./job.ts";

/** What a mirror copies, and how it keeps up. */
export interface MirrorOptions {
  /** All of the disk ("full"), what the topmost image holds ("top"), or only what is written from now on ("none"). */
  readonly sync: "full" | "top" | "none";
  /** Bytes; power of two. */
  readonly granularity?: number;
  /** Whether a write of the guest waits for its copy ("write-blocking") or the copy follows; default "background". */
  readonly copyMode?: "background" | "write-blocking";
  /** Zeroes may become holes in the target. */
  readonly unmap?: boolean;
  /** Node that the target takes the place of; absent = the source. */
  readonly replaces?: GraphNode;
  /** An active commit: the target is the base of the source's chain, and only what lies above it is copied. */
  readonly base?: GraphNode;
  /** What becomes of the chain when the target takes over. */
  readonly onPivot?: () => Promise<void>;
  /** The job opened the target for itself: it closes when the job ends without having put it in place. */
  readonly releaseTarget?: boolean;
}

/** Copies a disk to another node and keeps the two alike until it is completed. */
export class MirrorBody implements JobBody, WriteHook {
  readonly softCancel: boolean = true;
  readonly #graph: BlockGraph;
  readonly #source: GraphNode;
  readonly #target: GraphNode;
  readonly #options: MirrorOptions;
  readonly #dirty: Bitmap;
  readonly #lock = new RangeLock();
  #job: Job | undefined;
  #complete = false;
  /** Errors of copies that the policy did not pass over: the first one ends the job. */
  readonly #failures: unknown[] = [];
  #drained = false;
  #targetWasReadOnly = false;

  constructor(graph: BlockGraph, source: GraphNode, target: GraphNode, options: MirrorOptions) {
    this.#graph = graph;
    this.#source = source;
    this.#target = target;
    this.#options = options;
    const granularity = options.granularity ?? Math.max(4096, Math.min(65536, target.image?.clusterSize ?? 65536));
    if (granularity < 512 || granularity > 1 << 26 || (granularity & (granularity - 1)) !== 0)
      throw new BlockError("bad-option", "Invalid parameter 'granularity': power of two from 512 to 64M");
    this.#dirty = new Bitmap(source.size, granularity);
  }

  // ---- hook on the source ----
  async begin(at: number, length: number): Promise<(() => Promise<void>) | undefined> {
    if (this.#options.copyMode !== "write-blocking") return undefined;
    return async () => {
      const job = this.#job;
      if (!job || job.cancelled || this.#failures.length > 0) return;
      // A failure of the copy ends the job; the guest's own write has gone well.
      await this.#copy(job, at, length).catch((e: unknown) => {
        this.#failures.push(e);
        job.wake();
      });
    };
  }
  after(at: number, length: number): void {
    this.#dirty.mark(at, length);
    this.#job?.wake();
  }

  complete(): void {
    this.#complete = true;
  }

  async run(job: Job): Promise<void> {
    this.#job = job;
    const [source, target] = [this.#source, this.#target];
    this.#targetWasReadOnly = target.readOnly;
    if (target.readOnly) await target.reopen({ readOnly: false });
    if (target.size < source.size) await (target.resize?.(source.size) ?? target.refuse("grow"));
    await this.#graph.drained([source], () => void source.hooks.add(this));
    await this.#scan(job);
    while (!job.cancelled) {
      await this.#round(job);
      if (job.cancelled) return;
      if (this.#failures.length > 0) throw this.#failures[0];
      // A guest that goes on writing cannot put off the end: what is left is copied while it waits.
      if (this.#complete && job.isReady) break;
      if (this.#dirty.set > 0) continue;
      await target.flush();
      job.ready();
      if (this.#complete) break;
      if (this.#dirty.set === 0) await job.idle(1e8);
      await job.pausePoint();
    }
    if (job.cancelled) return;
    // No write may slip in between the last copy and the change of the graph.
    for (const node of this.#above()) await node.drainBegin();
    this.#drained = true;
    await this.#round(job);
    await target.flush();
  }

  #above(): GraphNode[] {
    const out: GraphNode[] = [];
    const visit = (node: GraphNode): void => {
      for (const edge of node.parents) if (edge.parent) visit(edge.parent);
      if (!out.includes(node)) out.push(node);
    };
    visit(this.#source);
    return (this.#drainedNodes = out);
  }
  #drainedNodes: GraphNode[] = [];

  async #scan(job: Job): Promise<void> {
    const { sync, base } = this.#options;
    const source = this.#source;
    if (sync === "none") return;
    if (sync === "full" && !base) {
      this.#dirty.mark(0, source.size);
      job.total = source.size;
      return;
    }
    const stop = base ? skipFilters(base) : backingOf(source);
    for (let at = 0; at < source.size && !job.cancelled;) {
      const found = await allocatedAbove(source, stop, at, Math.min(1 << 26, source.size - at));
      if (found.allocated || stop === undefined) this.#dirty.mark(at, found.length);
      at += found.length;
      await job.pausePoint();
    }
    job.total = this.#dirty.bytes;
  }

  /** Copies what is dirty now, several ranges at a time. */
  async #round(job: Job): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    const failures = this.#failures;
    let at = 0;
    try {
      while (!job.cancelled && failures.length === 0) {
        if (!this.#drained) await job.pausePoint();
        const range = this.#dirty.next(at, CHUNK) ?? (at > 0 ? this.#dirty.next((at = 0), CHUNK) : undefined);
        if (!range) break;
        at = range.at + range.length;
        job.total = Math.max(job.total, job.current + this.#dirty.bytes);
        const copy = this.#copy(job, range.at, range.length)
          .then(() => (this.#drained ? undefined : job.pausePoint(range.length)))
          .catch((e: unknown) => {
            failures.push(e);
          })
          .finally(() => inFlight.delete(copy));
        inFlight.add(copy);
        if (inFlight.size >= 8) await Promise.race(inFlight);
      }
    } finally {
      await Promise.all(inFlight);
    }
    if (failures.length > 0) throw failures[0];
  }

  async #copy(job: Job, at: number, length: number): Promise<void> {
    const { granularity } = this.#dirty;
    const start = at - (at % granularity);
    const end = Math.min(this.#source.size, Math.ceil((at + length) / granularity) * granularity);
    await this.#lock.run(start, end - start, async () => {
      this.#dirty.unmark(start, end - start);
      try {
        for (let here = start; here < end;) {
          // The driver itself: past the gate of a drained section, and inside a request that waits for this copy.
          const status = await this.#source.inner.blockStatus?.(here, end - here);
          const piece = Math.min(CHUNK, status?.length ?? end - here);
          const bytes = new Uint8Array(piece);
          const zero = status?.zero === true;
          const read = zero || (await jobRead(job, () => this.#source.inner.read(here, bytes)));
          if (!read || !(await jobWrite(job, this.#target, here, bytes, this.#options.unmap ?? true)))
            this.#dirty.mark(here, piece);
          here += piece;
        }
      } catch (e) {
        this.#dirty.mark(start, end - start);
        throw e;
      }
    });
  }

  async prepare(): Promise<void> {
    const { replaces, onPivot } = this.#options;
    this.#source.hooks.delete(this);
    const from = replaces ?? this.#source;
    // What stands on the target itself (a filter of the chain) keeps standing there.
    this.#graph.replace(from, this.#target, (edge) => edge.parent === this.#target || edge.target === this.#target);
    await onPivot?.();
    this.#pivoted = true;
  }
  #pivoted = false;

  async clean(): Promise<void> {
    this.#source.hooks.delete(this);
    if (this.#drained) for (const node of this.#drainedNodes) node.drainEnd();
    if (!this.#pivoted && this.#targetWasReadOnly && !this.#target.isClosed)
      await this.#target.reopen({ readOnly: true });
    if (!this.#pivoted && this.#options.releaseTarget) this.#target.monitor = false;
  }
}
