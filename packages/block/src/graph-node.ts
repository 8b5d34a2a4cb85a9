import { asBlockError, BlockError } from "./errors.ts";
import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";
import type { BlockStatus } from "./status.ts";
import { statusOf } from "./status.ts";
import { isZero, totalLength, zeroRange } from "./node.ts";

/** Options that every node of a graph has, whatever its driver. */
export interface NodeOptions {
  readonly readOnly: boolean;
  readonly discard: "ignore" | "unmap";
  readonly detectZeroes: "off" | "on" | "unmap";
  /** Flushes are not passed on: fast, and a power cut loses everything. */
  readonly noFlush: boolean;
}

/**
 * What the graph puts around each driver: bounds, read-only, discard policy, zero detection and the count of requests in
 * flight, so that drivers are written without any of these.
 */
export class GraphNode implements BlockNode {
  readonly name: string;
  readonly driver: string;
  readOnly: boolean;
  readonly options: NodeOptions;
  /** Named by `-blockdev`, or made up by the graph. */
  readonly named: boolean;
  /** Who stands on this node: parents' names. */
  readonly users: Set<string> = new Set();
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly resize?: (size: number) => Promise<void>;
  readonly setBacking?: (node: BlockNode | undefined) => void;
  readonly reopen?: (opts: { readOnly: boolean }) => Promise<void>;
  readonly #inner: BlockNode;
  readonly #warn: (message: string) => void;
  #inFlight = 0;
  #idle: (() => void)[] = [];
  #closed = false;
  #complained = "";

  constructor(inner: BlockNode, driver: string, options: NodeOptions, named: boolean, warn: (message: string) => void) {
    this.#inner = inner;
    this.name = inner.name;
    this.driver = driver;
    this.options = options;
    this.named = named;
    this.readOnly = options.readOnly || inner.readOnly;
    this.#warn = warn;
    const { discard, resize } = inner;
    if (discard && options.discard === "unmap" && !this.readOnly)
      this.discard = (at, length) => this.#run("discard", at, length, () => discard.call(inner, at, length));
    const { setBacking, reopen } = inner;
    if (setBacking) this.setBacking = (node) => setBacking.call(inner, node);
    if (reopen)
      this.reopen = async (opts) => {
        await reopen.call(inner, opts);
        this.readOnly = opts.readOnly;
      };
    if (resize && !this.readOnly) this.resize = (size) => this.#run("resize", 0, 0, () => resize.call(inner, size));
  }

  get size(): number {
    return this.#inner.size;
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
    return this.#inner.children ?? {};
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

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#run("read", at, into.length, () => this.#inner.read(at, into));
  }

  write(at: number, from: Uint8Array): Promise<void> {
    return this.#run("write", at, from.length, () => this.#store(at, from));
  }

  readv(at: number, into: readonly Uint8Array[]): Promise<void> {
    return this.#run("read", at, totalLength(into), async () => {
      if (this.#inner.readv) return this.#inner.readv(at, into);
      for (const piece of into) {
        await this.#inner.read(at, piece);
        at += piece.length;
      }
    });
  }

  writev(at: number, from: readonly Uint8Array[]): Promise<void> {
    return this.#run("write", at, totalLength(from), async () => {
      if (this.#inner.writev && this.options.detectZeroes === "off") return this.#inner.writev(at, from);
      for (const piece of from) {
        await this.#store(at, piece);
        at += piece.length;
      }
    });
  }

  writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    const may = unmap && this.options.discard === "unmap";
    return this.#run("write zeroes", at, length, () => zeroRange(this.#inner, at, length, may));
  }

  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    let status: BlockStatus | undefined;
    await this.#run("read", at, length, async () => {
      status = await statusOf(this.#inner, at, length);
    });
    return status ?? { length, allocated: true, zero: false, data: true };
  }

  flush(): Promise<void> {
    return this.#run("flush", 0, 0, async () => {
      if (!this.options.noFlush) await this.#inner.flush();
    });
  }

  /** Resolves when nothing is in flight. */
  async drain(): Promise<void> {
    while (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Waits for requests in flight, flushes, and closes what is below. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.drain();
    try {
      if (!this.readOnly && !this.options.noFlush) await this.#inner.flush();
    } finally {
      await this.#inner.close();
    }
  }

  #store(at: number, from: Uint8Array): Promise<void> {
    const { detectZeroes } = this.options;
    if (detectZeroes !== "off" && isZero(from))
      return zeroRange(this.#inner, at, from.length, detectZeroes === "unmap");
    return this.#inner.write(at, from);
  }

  async #run(what: string, at: number, length: number, act: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new BlockError("closed", `Node '${this.name}' is closed`);
    if (at < 0 || length < 0 || at + length > this.size)
      throw new BlockError(
        "out-of-range",
        `${what} of ${length} bytes at ${at} lies outside '${this.name}' (${this.size} bytes)`,
        { at },
      );
    if (this.readOnly && what !== "read" && what !== "flush")
      throw new BlockError("read-only", `Node '${this.name}' is read-only`, { at });
    this.#inFlight++;
    try {
      await act();
    } catch (e) {
      const error = asBlockError(e, `${what} on '${this.name}'`, at);
      this.#complain(error);
      throw error;
    } finally {
      if (--this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** One line for each kind of trouble, not one for each request. */
  #complain(error: BlockError): void {
    if (error.kind === this.#complained) return;
    this.#complained = error.kind;
    if (!error.told) this.#warn(error.message);
    error.told = true;
  }
}
