import { backingOf, chainOf, skipFilters } from "../chain.ts";
import { BlockError } from "../errors.ts";
import type { BlockGraph } from "../graph.ts";
import type { GraphNode } from "../graph-node.ts";
import type { BackupOptions } from "./backup.ts";
import { BackupBody } from "./backup.ts";
import { CommitBody } from "./commit.ts";
import { CreateBody } from "./create.ts";
import type { JobBody, JobEvent, JobOptions } from "./job.ts";
import { Job } from "./job.ts";
import type { MirrorOptions } from "./mirror.ts";
import { MirrorBody } from "./mirror.ts";
import type { StreamOptions } from "./stream.ts";
import { checkBase, StreamBody } from "./stream.ts";

/** Options that all jobs take. `id` absent: that of the device. */
export type JobSettings = Omit<JobOptions, "id" | "type" | "nodes"> & { readonly id?: string };

/** The jobs of one graph, by id. */
export class Jobs {
  /** Whose nodes the jobs work on. */
  readonly graph: BlockGraph;
  /** Told of every change: QMP's events. */
  onEvent: ((event: JobEvent) => void) | undefined;
  readonly #jobs: Map<string, Job> = new Map();

  constructor(graph: BlockGraph) {
    this.graph = graph;
  }

  /** All jobs in order of making. */
  list(): Job[] {
    return [...this.#jobs.values()];
  }

  /** @throws BlockError "not-found" */
  get(id: string): Job {
    const job = this.#jobs.get(id);
    if (!job) throw new BlockError("not-found", "Job not found");
    return job;
  }

  /** Makes a job that has not started. @throws BlockError "in-use" */
  add(type: JobOptions["type"], body: JobBody, settings: JobSettings & Pick<JobOptions, "nodes">): Job {
    const id = settings.id ?? settings.device ?? "";
    if (id === "") throw new BlockError("bad-option", "An explicit job ID is required for this node");
    if (!/^[A-Za-z][A-Za-z0-9._-]*$/.test(id)) throw new BlockError("bad-option", `Invalid job ID '${id}'`);
    if (this.#jobs.has(id)) throw new BlockError("in-use", `Job ID '${id}' already in use`);
    const env = {
      clock: this.graph.clock,
      tell: (event: JobEvent) => this.onEvent?.(event),
      gone: () => void this.#jobs.delete(id),
    };
    const job = new Job({ ...settings, id, type }, body, env);
    this.#jobs.set(id, job);
    this.onEvent?.({ name: "JOB_STATUS_CHANGE", data: { status: "created", id } });
    return job;
  }

  /** Copies images below `top` into it. */
  stream(top: GraphNode, options: StreamOptions, settings: JobSettings): Job {
    if (options.base) checkBase(top, options.base);
    const nodes = free(between(top, options.base));
    return this.add("stream", new StreamBody(this.graph, top, options), { ...settings, nodes });
  }

  /** Writes `top` and what lies between into `base`; the topmost image itself as an active commit, which waits for `complete`. */
  commit(
    active: GraphNode,
    how: { top?: GraphNode; base?: GraphNode; backingFile?: string },
    settings: JobSettings,
  ): Job {
    const first = skipFilters(active);
    const top = skipFilters(how.top ?? active);
    if (!backingOf(top)) throw new BlockError("bad-option", `'${top.name}' has no backing image to commit to`);
    let base = how.base && skipFilters(how.base);
    if (base) checkBase(top, base);
    else for (let node = backingOf(top); node; node = backingOf(node)) base = node;
    if (!base) throw new BlockError("bad-option", `'${top.name}' has no backing image to commit to`);
    if (top !== first) checkBase(first, top);
    const nodes = free([...between(top, base), base]);
    const all = { ...settings, nodes };
    if (top !== first) return this.add("commit", new CommitBody(this.graph, top, base, how.backingFile), all);
    if (how.backingFile !== undefined)
      throw new BlockError("bad-option", "'backing-file' specified, but 'top' is the active layer");
    return this.add("commit", new MirrorBody(this.graph, top, base, { sync: "full", base, unmap: true }), all);
  }

  /** Copies `source` to `target` and keeps them alike until `complete` puts the target in the source's place. */
  mirror(source: GraphNode, target: GraphNode, options: MirrorOptions, settings: JobSettings): Job {
    if (source === target) throw new BlockError("bad-option", "Can't mirror node into itself");
    const nodes = free([source, target, ...(options.replaces ? [options.replaces] : [])]);
    return this.add("mirror", new MirrorBody(this.graph, source, target, options), { ...settings, nodes });
  }

  /** The moment that is kept is when the job starts, or `freeze` of the body before that. */
  backup(
    source: GraphNode,
    target: GraphNode,
    options: BackupOptions,
    settings: JobSettings,
  ): { readonly job: Job; readonly body: BackupBody } {
    const nodes = free([source, target]);
    if (source === target) throw new BlockError("bad-option", "Source and target cannot be the same");
    if (target.size < source.size) throw new BlockError("bad-option", `Source and target image have different sizes`);
    options.bitmap?.check();
    const body = new BackupBody(this.graph, source, target, options);
    return { job: this.add("backup", body, { ...settings, nodes }), body };
  }

  /** A job of one step: blockdev-create, and amend. */
  create(
    work: () => Promise<void>,
    {
      type = "create",
      nodes = [],
      ...settings
    }: JobSettings & { type?: "create" | "amend"; nodes?: readonly GraphNode[] },
  ): Job {
    return this.add(type, new CreateBody(work), { ...settings, nodes: free(nodes), blockJob: false });
  }

  /** Cancels everything and waits: before the graph closes. */
  async closeAll(): Promise<void> {
    for (const job of this.list()) {
      if (job.status === "concluded" || job.status === "null") continue;
      if (job.status !== "aborting") job.cancel(true);
      await job.done;
    }
  }
}

/** Passes the nodes on. @throws BlockError "in-use" when a job has one of them */
function free(nodes: readonly GraphNode[]): readonly GraphNode[] {
  for (const node of nodes)
    for (const hold of node.holds)
      if (hold.startsWith("job '"))
        throw new BlockError("in-use", `Node '${node.name}' is busy: block device is in use by block ${hold}`);
  return nodes;
}

/** The chain from `top` down to above `base`, with `top` itself when it is a filter. */
function between(top: GraphNode, base: GraphNode | undefined): GraphNode[] {
  const chain = chainOf(top);
  const end = base ? chain.indexOf(skipFilters(base)) : chain.length;
  return [...new Set([top, ...chain.slice(0, end < 0 ? chain.length : end)])];
}
