import { allocatedAbove, backingOf, readPadded, skipFilters } from "../chain.ts";
import { BlockError } from "../errors.ts";
import type { BlockGraph } from "../graph.ts";
import type { GraphNode } from "../graph-node.ts";
import { statusOf } from "../status.ts";
import { CHUNK, jobRead, jobWrite } from "./copy.ts";
import type { Job, JobBody } from "./job.ts";
import { setBackingNode } from "./relink.ts";

/** Writes what images between lie (from `top` down to above `base`) into `base`, while what is above is in use. */
export class CommitBody implements JobBody {
  readonly #graph: BlockGraph;
  readonly #top: GraphNode;
  readonly #base: GraphNode;
  readonly #backingFile: string | undefined;
  #baseWasReadOnly = false;

  constructor(graph: BlockGraph, top: GraphNode, base: GraphNode, backingFile: string | undefined) {
    this.#graph = graph;
    this.#top = skipFilters(top);
    this.#base = skipFilters(base);
    this.#backingFile = backingFile;
  }

  async run(job: Job): Promise<void> {
    const [top, base] = [this.#top, this.#base];
    this.#baseWasReadOnly = base.readOnly;
    if (base.readOnly) await base.reopen({ readOnly: false });
    if (base.size < top.size) await (base.resize?.(top.size) ?? base.refuse("grow"));
    job.total = top.size;
    for (let at = 0; at < top.size && !job.cancelled;) {
      const found = await allocatedAbove(top, base, at, Math.min(CHUNK, top.size - at));
      if (found.allocated) {
        const bytes = new Uint8Array(found.length);
        const ok = found.zero || (await jobRead(job, () => readPadded(top, at, bytes)));
        if (ok) await jobWrite(job, base, at, bytes, true);
      }
      at += found.length;
      await job.pausePoint(found.length);
    }
    if (!job.cancelled) await base.flush();
  }

  async prepare(): Promise<void> {
    const [top, base] = [this.#top, this.#base];
    const above = [...top.parents].filter((e) => e.role === "backing" && e.parent);
    await this.#graph.drained([top, base], async () => {
      for (const edge of above) {
        const overlay = edge.parent as GraphNode;
        const was = overlay.readOnly;
        if (was) await overlay.reopen({ readOnly: false });
        await setBackingNode(this.#graph, overlay, base, this.#backingFile);
        if (was) await overlay.reopen({ readOnly: true });
      }
    });
  }

  async clean(): Promise<void> {
    if (this.#baseWasReadOnly && !this.#base.isClosed) await this.#base.reopen({ readOnly: true });
  }
}

/** Committed at once, without a job: HMP `commit`, `img commit`. The caller has drained `top`. */
export async function commitNow(top: GraphNode): Promise<void> {
  const image = skipFilters(top);
  const base = backingOf(image);
  if (!base) throw new BlockError("bad-option", `Node '${top.name}' has no backing image`);
  const was = base.readOnly;
  if (was) await base.reopen({ readOnly: false });
  try {
    if (base.size < image.size) await (base.resize?.(image.size) ?? base.refuse("grow"));
    for (let at = 0; at < image.size;) {
      // The driver itself: the node is drained.
      const found = await statusOf(image.inner, at, Math.min(CHUNK, image.size - at));
      if (found.allocated && found.zero) await base.writeZeroes(at, found.length, true);
      else if (found.allocated) {
        const bytes = new Uint8Array(found.length);
        await image.inner.read(at, bytes);
        await base.write(at, bytes);
      }
      at += found.length;
    }
    await base.flush();
    await image.image?.makeEmpty?.();
    await image.inner.flush();
  } finally {
    if (was) await base.reopen({ readOnly: true });
  }
}
