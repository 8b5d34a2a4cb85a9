import { nearest } from "@mimus/qom";
import { BlockBackend } from "./backend.ts";
import { Edge } from "./edge.ts";
import { asBlockError, BlockError } from "./errors.ts";
import { createFile, createOnNode } from "./create-file.ts";
import type { CreateFileOptions } from "./create-file.ts";
import type { FormatOps } from "./format.ts";
import { GraphNode } from "./graph-node.ts";
import type { LockUse } from "./lock.ts";
import { Bitmaps } from "./bitmaps.ts";
import type { BlockNode } from "./node.ts";
import { groupLimits, limited, ThrottleGroup } from "./throttle.ts";
import type { ThrottleClock, ThrottleLimits } from "./throttle.ts";
import type { Common } from "./node-options.ts";
import { parseCommon } from "./node-options.ts";
import { nest } from "./options.ts";
import { Opener } from "./opener.ts";
import type { BlockHost, OpenState } from "./opener.ts";
import { reopenNodes } from "./reopen.ts";
import { OverlayNode } from "./overlay.ts";

/** What a caller of {@link BlockGraph.openFile} may say besides the node's options. */
export interface OpenAs {
  /** What will stand on the node: a raw image under a device is kept from other writers. Default: "raw", as a tool. */
  readonly use?: LockUse;
}

/** All block nodes of a machine, by name, and the backends that devices use. */
export class BlockGraph {
  /** What the application gave. */
  readonly host: BlockHost;
  /** Host time for throttling and statistics; undefined when the application gives none. */
  readonly clock: ThrottleClock | undefined;
  /** Throttle groups by name: those of -object, and those that drives made. */
  readonly throttleGroups: Map<string, ThrottleGroup> = new Map();
  /** The dirty bitmaps of its nodes. */
  readonly bitmaps: Bitmaps = new Bitmaps();
  readonly #nodes: Map<string, GraphNode> = new Map();
  readonly #backends: Map<string, BlockBackend> = new Map();
  readonly #opener: Opener;
  #made = 0;

  constructor(host: BlockHost) {
    this.host = host;
    const { delay, format } = host;
    const now = format?.now?.bind(format);
    this.clock = delay && now ? { now, delay } : undefined;
    this.#opener = new Opener(host, {
      throttleGroup: (id) => this.throttleGroup(id),
      claim: (given) => this.#name(given),
      node: (name) => this.node(name),
      register: (node, driver, common, edges, given) => {
        const made = this.#register(node, driver, common, edges);
        if (given) made.given = given;
        return made;
      },
    });
  }

  /**
   * Opens a node as -blockdev describes it (nested JSON, or flat dotted keys) and registers its name. It stays until
   * {@link close}.
   * @throws BlockError, with nothing left open.
   */
  async open(options: Readonly<Record<string, unknown>>, as: OpenAs = {}): Promise<GraphNode> {
    const node = await this.#opener.open(nest(options), top(as));
    node.monitor = true;
    return node;
  }

  /** Opens `filename` probing its format (or with the format given): what -drive and the image tools do. */
  async openFile(
    filename: string,
    options: Readonly<Record<string, unknown>> = {},
    as: OpenAs = {},
  ): Promise<GraphNode> {
    const nested = nest(options);
    const extra = typeof nested["file"] === "object" ? (nested["file"] as Record<string, unknown>) : {};
    const file = this.#opener.fileOptions(filename, extra);
    const node = await this.#opener.openOrProbe(...splitJson({ ...nested, file }, top(as)));
    node.monitor = true;
    return node;
  }

  /**
   * Makes an image: the file (emptied when it is there), what the format writes, and further files beside it.
   * `size` undefined: that of the backing file that the options name.
   * @throws BlockError; a file that was there may have been emptied
   */
  create(
    format: string,
    filename: string,
    size: number | undefined,
    options: Readonly<Record<string, unknown>> = {},
    how: CreateFileOptions = {},
  ): Promise<void> {
    return createFile(this, this.#opener, format, filename, size, options, how);
  }

  /** Writes a new image into a node that is open: blockdev-create. @throws BlockError */
  createOn(
    format: string,
    file: GraphNode,
    size: number | undefined,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    return createOnNode(this, this.#opener, format, file, size, options);
  }

  /** Operations of a format by its name, its package loaded. @throws BlockError "bad-option" */
  async format(name: string): Promise<FormatOps> {
    const found = (await this.#opener.type(name)).class["format"] as FormatOps | undefined;
    if (!found) throw new BlockError("bad-option", `'${name}' is no image format`);
    return found;
  }

  /** Puts a temporary layer over a node: writes stay in memory. The node below becomes the layer's. */
  async overlay(below: BlockNode, limit?: number): Promise<GraphNode> {
    const edge = below instanceof GraphNode ? new Edge("backing", below) : undefined;
    const node = new OverlayNode(this.#name(), edge ?? below, limit);
    const made = this.#register(node, "overlay", parseCommon({ discard: "unmap" }, "overlay"), edge ? [edge] : []);
    if (below instanceof GraphNode) below.monitor = false;
    made.monitor = true;
    return made;
  }

  /** Puts a filter over a node, which becomes the filter's. */
  async filter(below: GraphNode, options: Readonly<Record<string, unknown>>): Promise<GraphNode> {
    const made = await this.open({ "read-only": below.readOnly, ...options, file: below.name });
    below.monitor = false;
    return made;
  }

  /** Takes a node that something else made (a job's target, an export's snapshot) into the graph. */
  adopt(node: BlockNode, driver: string, edges: readonly Edge[] = []): GraphNode {
    return this.#register(node, driver, parseCommon({ discard: "unmap", "read-only": node.readOnly }, driver), edges);
  }

  /** A node by its name. @throws BlockError "not-found" with the nearest names. */
  node(name: string): GraphNode {
    const node = this.#nodes.get(name);
    if (node) return node;
    const near = nearest(name, this.#nodes.keys());
    throw new BlockError(
      "not-found",
      `No block node named '${name}'${near.length > 0 ? `; did you mean ${near.join(", ")}?` : ""}`,
    );
  }

  /** All nodes in order of opening. */
  nodes(): Iterable<GraphNode> {
    return this.#nodes.values();
  }

  /** Makes a backend (what `-drive id=` names). @throws BlockError when the id is taken. */
  addBackend(id: string, node?: BlockNode): BlockBackend {
    if (this.#backends.has(id) || this.#nodes.has(id))
      throw new BlockError("in-use", `The name '${id}' is already used by a drive or node`);
    const backend = new BlockBackend(id, node, this.clock);
    this.#backends.set(id, backend);
    return backend;
  }

  /** The backend with this id; for a node-name one is made on first use. What a device's `drive=` means. */
  backend(name: string): BlockBackend | undefined {
    const known = this.#backends.get(name);
    if (known) return known;
    const node = this.#nodes.get(name);
    if (!node) return undefined;
    const backend = new BlockBackend(name, node, this.clock);
    backend.anonymous = true;
    this.#backends.set(name, backend);
    return backend;
  }

  /** All backends in order of making. */
  backends(): Iterable<BlockBackend> {
    return this.#backends.values();
  }

  /** Forgets a backend; its node stays open. @throws BlockError "in-use" while a device holds it */
  removeBackend(id: string): void {
    const backend = this.#backends.get(id);
    if (backend?.owner !== undefined) throw new BlockError("in-use", `Drive '${id}' is used by ${backend.owner}`);
    this.#backends.delete(id);
  }

  /** Closes a node by name (blockdev-del). @throws BlockError "in-use". */
  async close(name: string): Promise<void> {
    const node = this.node(name);
    for (const b of this.#backends.values())
      if (b.node === node && b.owner !== undefined)
        throw new BlockError("in-use", `Node '${name}' is used by ${b.owner}`);
    const [parent] = node.parents;
    const [hold] = node.holds;
    const user = parent ? `node '${parent.parent?.name ?? "?"}' (as ${parent.role})` : hold;
    if (user !== undefined) throw new BlockError("in-use", `Node '${name}' is used by ${user}`);
    for (const [id, b] of this.#backends) if (b.node === node) this.#backends.delete(id);
    node.monitor = false;
    await node.close();
  }

  /** Makes a throttle group from the options of -object. @throws BlockError "bad-option" */
  addThrottleGroup(id: string, options: Readonly<Record<string, unknown>>): void {
    this.throttleGroups.set(id, new ThrottleGroup(id, groupLimits(nest(options))));
  }

  /** Forgets a throttle group. @returns whether there was one. @throws BlockError "in-use" while nodes or drives go by its limits */
  removeThrottleGroup(id: string): boolean {
    const group = this.throttleGroups.get(id);
    if (group === undefined) return false;
    const drives = [...this.#backends.values()].some((b) => b.throttle === group);
    if (drives || group.users > 0) throw new BlockError("in-use", `object '${id}' is in use, can not be deleted`);
    return this.throttleGroups.delete(id);
  }

  /** The throttle group of this name. @throws BlockError "not-found" */
  throttleGroup(id: string): ThrottleGroup {
    const found = this.throttleGroups.get(id) ?? this.host.object?.(id);
    if (found instanceof ThrottleGroup) return found;
    throw new BlockError("not-found", `Throttle group '${id}' does not exist`);
  }

  /** Limits a drive, alone or in a group; limits without any rate take the drive out of its group. */
  setThrottle(backend: BlockBackend, limits: ThrottleLimits, group: string = backend.id): void {
    if (!limited(limits)) {
      backend.throttle = undefined;
      return;
    }
    if (!this.clock)
      throw new BlockError("unsupported-feature", "Throttling needs a clock, which this program does not give");
    let shared = this.throttleGroups.get(group);
    if (!shared) this.throttleGroups.set(group, (shared = new ThrottleGroup(group, limits)));
    shared.limits = limits;
    backend.throttle = shared;
  }

  /** Changes options of nodes that are open (blockdev-reopen): all, or none. @throws BlockError */
  reopen(list: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    return reopenNodes(this, list);
  }

  /** Waits until no request is in flight, for reset, pause and snapshots. */
  async drain(): Promise<void> {
    for (const b of this.#backends.values()) await b.drain();
  }

  /** Runs `act` while no request is in flight in `nodes` and in what stands on them: a change of the graph. */
  async drained<T>(nodes: readonly GraphNode[], act: () => Promise<T> | T): Promise<T> {
    const held: GraphNode[] = [];
    try {
      for (const node of withAncestors(nodes)) {
        held.push(node);
        await node.drainBegin();
      }
      return await act();
    } finally {
      for (const node of held) node.drainEnd();
    }
  }

  /** Everything that stands on `from`, except `but`, stands on `to` afterwards. The caller has drained both. */
  replace(from: GraphNode, to: GraphNode, but: (edge: Edge) => boolean = () => false): void {
    for (const edge of [...from.parents]) if (!but(edge)) edge.retarget(to);
    from.redirect(to);
    to.redirect(undefined); // undone: what waited for `to` stays there
    for (const b of this.#backends.values()) {
      if (b.node !== from) continue;
      if (from.holds.delete(holdOf(b))) to.holds.add(holdOf(b));
      b.setNode(to);
    }
  }

  /** Gives a node to a drive: it closes when the drive gives it up. */
  give(backend: BlockBackend, node: GraphNode): void {
    node.monitor = false;
    node.holds.add(holdOf(backend));
    backend.setNode(node);
  }
  /** Takes the medium out of a drive; a node that was the drive's own closes. */
  async take(backend: BlockBackend): Promise<void> {
    const { node } = backend;
    backend.setNode(undefined);
    if (!(node instanceof GraphNode) || !node.holds.delete(holdOf(backend))) return;
    await node.closeUnheld();
  }

  /** What the guest wrote is on stable storage, for every node that can be written. */
  async flushAll(): Promise<void> {
    for (const n of this.#nodes.values()) if (!n.readOnly && !n.isClosed) await n.flush();
  }

  /** Flushes and closes everything, top nodes first. */
  async closeAll(): Promise<void> {
    const left = new Set([...this.#nodes.values()].toReversed());
    this.#backends.clear();
    let first: unknown;
    while (left.size > 0) {
      const [any] = left;
      const node = [...left].find((n) => n.parents.size === 0) ?? any;
      if (!node) break;
      left.delete(node);
      await node.close().catch((e: unknown) => (first ??= e));
    }
    this.#nodes.clear();
    if (first !== undefined) throw asBlockError(first, "Could not close the block nodes");
  }

  #register(node: BlockNode, driver: string, common: Common, edges: readonly Edge[]): GraphNode {
    const options = {
      readOnly: common["read-only"],
      discard: common.discard,
      detectZeroes: common["detect-zeroes"],
      noFlush: common.cache["no-flush"],
      direct: common.cache.direct,
    };
    const wrapped = new GraphNode(node, driver, options, common["node-name"] !== undefined, this.host.warn);
    for (const edge of edges) edge.parent = wrapped;
    wrapped.onClosing = () => this.bitmaps.store(wrapped);
    wrapped.onReopen = (readOnly) => this.bitmaps.reopening(wrapped, readOnly);
    wrapped.onClosed = () => {
      if (this.#nodes.get(wrapped.name) === wrapped) this.#nodes.delete(wrapped.name);
    };
    this.#nodes.set(node.name, wrapped);
    return wrapped;
  }

  #name(given?: string): string {
    if (given === undefined) return `#block${this.#made++}`;
    if (this.#nodes.has(given) || this.#backends.has(given))
      throw new BlockError("in-use", `Duplicate block node name '${given}'`);
    return given;
  }
}

function holdOf(backend: BlockBackend): string {
  return `drive '${backend.id}'`;
}

function top(as: OpenAs): OpenState {
  return { depth: 0, chain: [], use: as.use ?? "raw", forceShare: false };
}

/** `json:` that describes a whole tree is the node itself, not the file below one. */
function splitJson(
  options: Record<string, unknown> & { file: Record<string, unknown> },
  state: OpenState,
): [Record<string, unknown>, OpenState] {
  const { file, ...others } = options;
  if (options["driver"] === undefined && file["file"] !== undefined) return [{ ...others, ...file }, state];
  return [options, state];
}

/** Ancestors before what they stand on. */
function withAncestors(nodes: readonly GraphNode[]): GraphNode[] {
  const out: GraphNode[] = [];
  const seen = new Set<GraphNode>();
  const visit = (node: GraphNode): void => {
    if (seen.has(node)) return;
    seen.add(node);
    for (const edge of node.parents) if (edge.parent) visit(edge.parent);
    out.push(node);
  };
  for (const node of nodes) visit(node);
  return out;
}
