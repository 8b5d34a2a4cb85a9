import {
  BlockError,
  type BlockNode,
  type BlockStatus,
  FirstWrite,
  type ImageOps,
  statusOf,
  zeroRange,
} from "@mimus/block";

/** An extent in its place on the disk. */
export interface PlacedExtent {
  readonly node: BlockNode;
  /** First byte on the disk, and the first behind it. */
  readonly start: number;
  readonly end: number;
}

/** What a {@link VmdkNode} is made of. */
export interface VmdkNodeOptions {
  readonly name: string;
  readonly readOnly: boolean;
  readonly filename: string;
  readonly extents: readonly PlacedExtent[];
  readonly children: Readonly<Record<string, BlockNode>>;
  readonly backing?: BlockNode | undefined;
  readonly image: ImageOps;
  /** Extents read through another parent from now on. */
  readonly rebase: (node: BlockNode | undefined) => void;
  /** Runs once before the first change. */
  readonly firstWrite: () => Promise<void>;
  /** Closes what is no extent. */
  readonly closeRest: () => Promise<void>;
}

/** The disk of a VMDK image: its extents behind each other. */
export class VmdkNode implements BlockNode {
  readonly driver: string = "vmdk";
  readonly sectorSize: number = 512;
  readonly name: string;
  readonly filename: string;
  readonly size: number;
  readonly image: ImageOps;
  readOnly: boolean;
  readonly #opts: VmdkNodeOptions;
  readonly #extents: readonly PlacedExtent[];
  readonly #firstWrite: FirstWrite;
  #backing: BlockNode | undefined;

  constructor(opts: VmdkNodeOptions) {
    this.#opts = opts;
    this.name = opts.name;
    this.readOnly = opts.readOnly;
    this.filename = opts.filename;
    this.#extents = opts.extents;
    this.size = opts.extents.at(-1)?.end ?? 0;
    this.image = opts.image;
    this.#backing = opts.backing;
    this.#firstWrite = new FirstWrite(opts.firstWrite);
  }

  get children(): Readonly<Record<string, BlockNode>> {
    return this.#backing ? { ...this.#opts.children, backing: this.#backing } : this.#opts.children;
  }

  setBacking(node: BlockNode | undefined): void {
    this.#backing = node;
    this.#opts.rebase(node);
  }

  async reopen(opts: { readOnly: boolean }): Promise<void> {
    for (const { node } of this.#extents) await node.reopen?.(opts);
    this.readOnly = opts.readOnly;
    if (opts.readOnly) this.#firstWrite.rearm();
  }

  read(at: number, into: Uint8Array): Promise<void> {
    const e = this.#at(at);
    if (at + into.length <= e.end) return e.node.read(at - e.start, into);
    return this.#each(at, into.length, (x, from, to) => x.node.read(from - x.start, into.subarray(from - at, to - at)));
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    if (this.#firstWrite.pending) await this.#firstWrite.done();
    await this.#each(at, from.length, (x, start, to) =>
      x.node.write(start - x.start, from.subarray(start - at, to - at)),
    );
  }

  async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    await this.#firstWrite.done();
    await this.#each(at, length, (x, from, to) => zeroRange(x.node, from - x.start, to - from, unmap));
  }

  async discard(at: number, length: number): Promise<void> {
    await this.#firstWrite.done();
    await this.#each(at, length, async (x, from, to) => x.node.discard?.(from - x.start, to - from));
  }

  blockStatus(at: number, length: number): Promise<BlockStatus> {
    const e = this.#at(at);
    return statusOf(e.node, at - e.start, Math.min(length, e.end - at));
  }

  async flush(): Promise<void> {
    for (const { node } of this.#extents) if (!node.readOnly) await node.flush();
  }

  async close(): Promise<void> {
    let first: unknown;
    for (const { node } of this.#extents) await node.close().catch((e: unknown) => (first ??= e));
    await this.#opts.closeRest().catch((e: unknown) => (first ??= e));
    await this.#backing?.close().catch((e: unknown) => (first ??= e));
    if (first !== undefined) throw first;
  }

  #at(at: number): PlacedExtent {
    let low = 0;
    let high = this.#extents.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#extents[middle]?.end ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const found = this.#extents[low];
    if (!found) throw new BlockError("out-of-range", `'${this.filename}' has no extents`, { at });
    return found;
  }

  async #each(
    at: number,
    length: number,
    act: (x: PlacedExtent, from: number, to: number) => Promise<void>,
  ): Promise<void> {
    for (let here = at; here < at + length;) {
      const e = this.#at(here);
      const stop = Math.min(at + length, e.end);
      await act(e, here, stop);
      here = stop;
    }
  }
}
