import type { Edge } from "./edge.ts";
import { asBlockError, BlockError } from "./errors.ts";
import { FilterNode } from "./filter-node.ts";
import { Gathered } from "./gathered.ts";
import type { HostFile } from "./host-file.ts";
import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";
import { isZero, totalLength, zeroRange } from "./node.ts";
import type { BlockStatus } from "./status.ts";

/** Options that every node of a graph has, whatever its driver. */
export interface NodeOptions {
  /** Writes are refused. */
  readonly readOnly: boolean;
  /** Whether discards are passed on. */
  readonly discard: "ignore" | "unmap";
  /** Whether written zeroes become a zeroing ("on") that may give space back ("unmap"). */
  readonly detectZeroes: "off" | "on" | "unmap";
  /** Flushes are not passed on: fast, and a power cut loses everything. */
  readonly noFlush: boolean;
  /** The host's cache is bypassed (cache.direct). */
  readonly direct?: boolean;
}

/** Who wants to know of changes to a node: dirty bitmaps, and copies that must be made before old bytes are gone. */
export interface WriteHook {
  /**
   * Awaited before a write, a zeroing or a discard begins; what it gives is called when that has ended and awaited before the
   * request completes.
   */
  begin?(at: number, length: number): Promise<(() => Promise<void> | void) | undefined>;
  /** Called when a change has ended, also when it failed. */
  after?(at: number, length: number): void;
  /** The node has another size now. */
  resized?(size: number): void;
}

/**
 * What the graph puts around each driver: bounds, read-only, discard policy, zero detection and the count of requests in
 * flight, so that drivers are written without any of these.
 */
export class GraphNode implements BlockNode {
  readonly name: string;
  readonly driver: string;
  /** Options in force; `reopen` changes them. */
  options: NodeOptions;
  /** The options that the node was opened with, for blockdev-reopen. */
  given: Readonly<Record<string, unknown>> = {};
  /** Named by the user, or made up by the graph. */
  readonly named: boolean;
  /** Edges of the nodes that stand on this one. */
  readonly parents: Set<Edge> = new Set();
  /** Edges to the nodes below, by role. */
  readonly edges: Map<string, Edge> = new Map();
  /** Reasons why the node must not be closed (jobs, exports, backends). */
  readonly holds: Set<string> = new Set();
  /** Who is told of changes: bitmaps and jobs. */
  readonly hooks: Set<WriteHook> = new Set();
  /** Made by blockdev-add: stays until blockdev-del. */
  monitor = false;
  /** Awaited while the node closes, before its driver does: persistent bitmaps are written. */
  onClosing: (() => Promise<void>) | undefined;
  /** Awaited before the node becomes read-only (true), and after it has become writable. */
  onReopen: ((readOnly: boolean) => Promise<void>) | undefined;
  /** Called once when the node has closed. */
  onClosed: (() => void) | undefined;
  readonly setBacking?: (node: BlockNode | undefined) => void;
  readonly #inner: BlockNode;
  /** Vectors for a driver that has none. */
  readonly #gathered: Gathered;
  readonly #warn: (message: string) => void;
  readonly #discard = async (at: number, length: number): Promise<void> => {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.discard?.(at, length);
    }
    return this.#change("discard", at, length, () => this.#inner.discard?.(at, length) ?? DONE);
  };
  readonly #resize = (size: number): Promise<void> => this.#setSize(size);
  #readOnly: boolean;
  #inFlight = 0;
  #idle: (() => void)[] = [];
  /** Drained sections that are open; requests wait for the last one's end. */
  #drains = 0;
  #waiting: ((other: GraphNode | undefined) => void)[] = [];
  #successor: GraphNode | undefined;
  #closed = false;
  #complained = "";

  constructor(inner: BlockNode, driver: string, options: NodeOptions, named: boolean, warn: (message: string) => void) {
    this.#inner = inner;
    this.#gathered = new Gathered(inner);
    this.name = inner.name;
    this.driver = driver;
    this.options = options;
    this.named = named;
    this.#readOnly = options.readOnly || inner.readOnly;
    this.#warn = warn;
    const { setBacking } = inner;
    if (setBacking) this.setBacking = (node) => setBacking.call(inner, node);
  }

  get size(): number {
    return this.#inner.size;
  }
  get readOnly(): boolean {
    return this.#readOnly;
  }
  get sectorSize(): number {
    return this.#inner.sectorSize;
  }
  get filename(): string {
    return this.#inner.filename ?? "";
  }
  get image(): ImageOps | undefined {
    return this.#inner.image;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    if (this.edges.size === 0) return this.#inner.children ?? {};
    const out: Record<string, BlockNode> = {};
    for (const [role, edge] of this.edges) out[role] = edge.target;
    return out;
  }
  /** The node that this one only filters: all content lies there. */
  get filtered(): GraphNode | undefined {
    if (!(this.#inner instanceof FilterNode)) return undefined;
    return this.edges.values().next().value?.target;
  }
  /** The driver's own node. */
  get inner(): BlockNode {
    return this.#inner;
  }
  /** True once `close` was called. */
  get isClosed(): boolean {
    return this.#closed;
  }
  /** Requests that have begun and not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }
  get discard(): ((at: number, length: number) => Promise<void>) | undefined {
    const can = this.options.discard === "unmap" && !this.#readOnly && this.#inner.discard !== undefined;
    return can ? this.#discard : undefined;
  }
  get resize(): ((size: number) => Promise<void>) | undefined {
    return !this.#readOnly && this.#inner.resize !== undefined ? this.#resize : undefined;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.read(at, into);
    }
    this.#check("read", at, into.length);
    this.#inFlight++;
    try {
      await this.#inner.read(at, into);
    } catch (e) {
      throw this.#failed(e, "read", at);
    } finally {
      this.#leave();
    }
  }

  async readv(at: number, into: readonly Uint8Array[]): Promise<void> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.readv(at, into);
    }
    this.#check("read", at, totalLength(into));
    this.#inFlight++;
    try {
      await (this.#inner.readv ? this.#inner.readv(at, into) : this.#gathered.read(at, into));
    } catch (e) {
      throw this.#failed(e, "read", at);
    } finally {
      this.#leave();
    }
  }

  readNow(at: number, into: readonly Uint8Array[]): boolean {
    if (this.#drains > 0 || this.#closed || !this.#inner.readNow) return false;
    return at >= 0 && at + totalLength(into) <= this.size && this.#inner.readNow(at, into);
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.write(at, from);
    }
    this.#check("write", at, from.length);
    this.#inFlight++;
    try {
      await (this.hooks.size > 0 ? this.#hooked(at, from.length, () => this.#store(at, from)) : this.#store(at, from));
    } catch (e) {
      throw this.#failed(e, "write", at);
    } finally {
      this.#leave();
    }
  }

  async writev(at: number, from: readonly Uint8Array[]): Promise<void> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.writev(at, from);
    }
    return this.#change("write", at, totalLength(from), async () => {
      if (this.options.detectZeroes === "off")
        return this.#inner.writev ? this.#inner.writev(at, from) : this.#gathered.write(at, from);
      let here = at;
      for (const piece of from) {
        await this.#store(here, piece);
        here += piece.length;
      }
    });
  }

  get hostFile(): HostFile | undefined {
    return this.#inner.hostFile;
  }

  async copyFrom(file: HostFile, from: number, at: number, length: number): Promise<boolean> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.copyFrom(file, from, at, length);
    }
    if (!this.#inner.copyFrom) return false;
    let copied = false;
    await this.#change("write", at, length, async () => {
      copied = (await this.#inner.copyFrom?.(file, from, at, length)) ?? false;
    });
    return copied;
  }

  async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.writeZeroes(at, length, unmap);
    }
    const may = unmap && this.options.discard === "unmap";
    return this.#change("write zeroes", at, length, () => zeroRange(this.#inner, at, length, may));
  }

  async flush(): Promise<void> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.flush();
    }
    this.#check("flush", 0, 0);
    if (this.options.noFlush) return;
    this.#inFlight++;
    try {
      await this.#inner.flush();
    } catch (e) {
      throw this.#failed(e, "flush");
    } finally {
      this.#leave();
    }
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.blockStatus(at, length);
    }
    this.#check("block status", at, length);
    if (!this.#inner.blockStatus) return { length, allocated: true, zero: false, data: true, offset: at, file: this };
    this.#inFlight++;
    try {
      const status = await this.#inner.blockStatus(at, length);
      return status.file === this.#inner ? { ...status, file: this } : status;
    } catch (e) {
      throw this.#failed(e, "block status", at);
    } finally {
      this.#leave();
    }
  }

  statusNow(at: number, length: number): BlockStatus | undefined {
    const inner = this.#inner;
    if (this.#drains > 0 || !inner.statusNow) return undefined;
    this.#check("block status", at, length);
    const status = inner.statusNow(at, length);
    return status?.file === inner ? { ...status, file: this } : status;
  }

  event(name: string): Promise<unknown> | undefined {
    return this.#inner.event?.(name);
  }

  async allocated(): Promise<number | undefined> {
    return this.#inner.allocated?.();
  }

  /** A request of the graph's own: counted as in flight, but no hook sees it. */
  async internal<T>(act: (inner: BlockNode) => Promise<T>): Promise<T> {
    while (this.#drains > 0) await this.#opened();
    if (this.#closed) throw new BlockError("closed", `Node '${this.name}' is closed`);
    this.#inFlight++;
    try {
      return await act(this.#inner);
    } finally {
      this.#leave();
    }
  }

  /** Rejects as a node does that cannot do `what`. */
  async refuse(what: string): Promise<never> {
    if (this.#readOnly) throw new BlockError("read-only", `Node '${this.name}' is read-only`);
    throw new BlockError("unsupported-feature", `Node '${this.name}' (${this.driver}) cannot ${what}`);
  }

  async reopen(opts: { readOnly: boolean }): Promise<void> {
    if (opts.readOnly === this.#readOnly) return;
    await this.drain();
    if (opts.readOnly) await this.onReopen?.(true);
    if (opts.readOnly && !this.options.noFlush) await this.#inner.flush();
    // Writable from below upwards, read-only from above downwards.
    if (!opts.readOnly) for (const [role, edge] of this.edges) if (role !== "backing") await edge.target.reopen(opts);
    await this.#inner.reopen?.(opts);
    this.#readOnly = opts.readOnly || (this.#inner.reopen === undefined && this.#inner.readOnly);
    this.options = { ...this.options, readOnly: this.#readOnly };
    if (opts.readOnly)
      for (const [role, edge] of this.edges)
        if (role !== "backing" && edge.target.parents.size === 1 && !edge.target.monitor)
          await edge.target.reopen(opts);
    if (this.#readOnly !== opts.readOnly) await this.refuse("be made writable");
    if (!opts.readOnly) await this.onReopen?.(false);
  }

  /** Changes `cache.direct`: of the files that the node opened itself, too, where their options do not say otherwise. */
  async setDirect(direct: boolean): Promise<void> {
    if ((this.options.direct ?? false) === direct) return;
    await this.drain();
    if (this.edges.size === 0) await this.#inner.setDirect?.(direct);
    for (const [role, { target }] of this.edges)
      if (!target.monitor && !saysDirect(this.given[role])) await target.setDirect(direct);
    this.options = { ...this.options, direct };
  }

  /** Resolves when nothing is in flight. */
  async drain(): Promise<void> {
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Holds back requests that come from now on, and resolves when those in flight have ended. */
  async drainBegin(): Promise<void> {
    this.#drains++;
    await this.drain();
  }
  /** Lets requests go on that {@link drainBegin} held back: here, or where {@link redirect} says. */
  drainEnd(): void {
    if (--this.#drains > 0) return;
    const other = this.#successor;
    this.#successor = undefined;
    for (const go of this.#waiting.splice(0)) go(other);
  }
  /** Requests that wait for the end of the drained section go to `other`, which stands in this node's place. */
  redirect(other: GraphNode | undefined): void {
    if (this.#drains > 0) this.#successor = other === this ? undefined : other;
  }

  /** Closes the node when neither a parent nor anybody else holds it. */
  async closeUnheld(): Promise<void> {
    if (this.parents.size === 0 && this.holds.size === 0 && !this.monitor) await this.close();
  }

  /** Waits for requests in flight, flushes, and closes what is below. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.drain();
    try {
      await this.onClosing?.();
      if (!this.#readOnly && !this.options.noFlush) await this.#inner.flush();
    } finally {
      try {
        await this.#inner.close();
      } finally {
        for (const edge of [...this.edges.values()]) await edge.close();
        this.onClosed?.();
      }
    }
  }

  #store(at: number, from: Uint8Array): Promise<void> {
    const { detectZeroes } = this.options;
    if (detectZeroes !== "off" && isZero(from))
      return zeroRange(this.#inner, at, from.length, detectZeroes === "unmap");
    return this.#inner.write(at, from);
  }

  async #setSize(size: number): Promise<void> {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new BlockError("out-of-range", `Node '${this.name}': ${size} is no size`);
    if (this.#drains > 0) {
      const other = await this.#opened();
      if (other) return other.resize ? other.resize(size) : other.refuse("resize");
    }
    await this.#change("resize", 0, 0, () => this.#inner.resize?.(size) ?? this.refuse("resize"));
    for (const hook of this.hooks) hook.resized?.(this.size);
  }

  async #change(what: string, at: number, length: number, act: () => Promise<void>): Promise<void> {
    this.#check(what, at, length);
    this.#inFlight++;
    try {
      await (this.hooks.size > 0 && length > 0 ? this.#hooked(at, length, act) : act());
    } catch (e) {
      throw this.#failed(e, what, at);
    } finally {
      this.#leave();
    }
  }

  async #hooked(at: number, length: number, act: () => Promise<void>): Promise<void> {
    const ends: (() => Promise<void> | void)[] = [];
    try {
      for (const hook of this.hooks) {
        const end = await hook.begin?.(at, length);
        if (end) ends.push(end);
      }
      await act();
    } finally {
      for (const hook of this.hooks) hook.after?.(at, length);
      for (const end of ends.toReversed()) await end();
    }
  }

  /** Waits for the end of the drained section; gives the node that has taken this one's place meanwhile. */
  async #opened(): Promise<GraphNode | undefined> {
    while (this.#drains > 0) {
      const other = await new Promise<GraphNode | undefined>((resolve) => this.#waiting.push(resolve));
      if (other) return other;
    }
    return undefined;
  }

  #leave(): void {
    if (--this.#inFlight === 0 && this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #check(what: string, at: number, length: number): void {
    if (this.#closed) throw new BlockError("closed", `Node '${this.name}' is closed`);
    const reads = what === "read" || what === "flush" || what === "block status";
    if (at < 0 || length < 0 || (at + length > this.size && this.#inner.grows !== true))
      throw new BlockError(
        "out-of-range",
        `${what} of ${length} bytes at ${at} lies outside '${this.name}' (${this.size} bytes)`,
        { at },
      );
    if (this.#readOnly && !reads) throw new BlockError("read-only", `Node '${this.name}' is read-only`, { at });
  }
  get grows(): boolean {
    return this.#inner.grows === true;
  }

  #failed(e: unknown, what: string, at?: number): BlockError {
    const error = asBlockError(e, `${what} on '${this.name}'`, at);
    // One line for each kind of trouble, not one for each request.
    if (error.kind !== this.#complained) {
      this.#complained = error.kind;
      if (!error.told) this.#warn(error.message);
      error.told = true;
    }
    return error;
  }
}

const DONE: Promise<void> = Promise.resolve();

/** Options of a node, as its parent was given them, say whether it goes past the host's cache. */
function saysDirect(given: unknown): boolean {
  if (typeof given === "string") return true;
  return (given as { cache?: { direct?: unknown } } | undefined | null)?.cache?.direct !== undefined;
}
