import { allocatedAbove, backingOf, readPadded, skipFilters } from "../chain.ts";
import { BlockError } from "../errors.ts";
import type { BlockGraph } from "../graph.ts";
import type { GraphNode, WriteHook } from "../graph-node.ts";
import { RangeLock } from "../range-lock.ts";
import { attempt, CHUNK, jobRead, jobWrite } from "./copy.ts";
import type { Job, JobBody } from "./job.ts";
import { setBackingNode } from "./relink.ts";

/** How far down an image chain is copied up. */
export interface StreamOptions {
  /** The chain is copied down to above this node; absent = all of it. */
  readonly base?: GraphNode;
  /** Name of the backing file that the image gets; absent = that of `base`. */
  readonly backingFile?: string;
}

/** Copies what lies in images below a node into it, while it is in use. */
export class StreamBody implements JobBody, WriteHook {
  readonly #graph: BlockGraph;
  readonly #top: GraphNode;
  readonly #options: StreamOptions;
  readonly #lock = new RangeLock();
  #wasReadOnly = false;

  constructor(graph: BlockGraph, top: GraphNode, options: StreamOptions) {
    this.#graph = graph;
    this.#top = skipFilters(top);
    this.#options = options;
  }

  /** A guest's write waits for the copy of its range, and the other way round. */
  begin(at: number, length: number): Promise<() => void> {
    return this.#lock.acquire(at, length);
  }

  async run(job: Job): Promise<void> {
    const top = this.#top;
    const { base } = this.#options;
    const below = backingOf(top);
    if (!below) return;
    this.#wasReadOnly = top.readOnly;
    if (top.readOnly) await top.reopen({ readOnly: false });
    await this.#graph.drained([top], () => void top.hooks.add(this));
    job.total = top.size;
    for (let at = 0; at < top.size && !job.cancelled;) {
      const length = await this.#step(job, at, Math.min(CHUNK, top.size - at), below, base);
      at += length;
      await job.pausePoint(length);
    }
  }

  async #step(job: Job, at: number, most: number, below: GraphNode, base: GraphNode | undefined): Promise<number> {
    let length = most;
    const release = await this.#lock.acquire(at, most);
    try {
      await attempt(job, "read", async () => {
        const own = await this.#top.blockStatus(at, length);
        length = own.length;
        if (own.allocated) return;
        const found = await allocatedAbove(below, base, at, length);
        length = found.length;
        if (!found.allocated && base !== undefined) return;
        const bytes = new Uint8Array(length);
        if (!found.zero && !(await jobRead(job, () => readPadded(below, at, bytes)))) return;
        // Past the hooks, which would wait for this very step; the content does not change.
        await this.#top.internal((inner) => jobWrite(job, inner, at, bytes, false));
      });
    } finally {
      release();
    }
    return length;
  }

  async prepare(): Promise<void> {
    const top = this.#top;
    const { base, backingFile } = this.#options;
    if (!backingOf(top)) return;
    await this.#graph.drained([top], async () => {
      await setBackingNode(this.#graph, top, base && skipFilters(base), backingFile);
    });
  }

  async clean(): Promise<void> {
    this.#top.hooks.delete(this);
    if (this.#wasReadOnly && !this.#top.isClosed) await this.#top.reopen({ readOnly: true });
  }
}

/** @throws BlockError when `base` is not below `top` */
export function checkBase(top: GraphNode, base: GraphNode): void {
  for (let node = backingOf(top); node; node = backingOf(node)) if (node === skipFilters(base)) return;
  throw new BlockError("not-found", `Node '${base.name}' is not a backing image of '${top.name}'`);
}
