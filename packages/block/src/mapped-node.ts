import type { ClusterMap, ClusterNodeOptions } from "./cluster-map.ts";
import { FirstWrite } from "./first-write.ts";
import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";
import type { BlockStatus } from "./status.ts";

/** Pieces of tables that may wait for a commit before writes wait for one. */
export const MOST_CHANGED = 256;

/** An image whose bytes lie where a {@link ClusterMap} says: all of the node but how it reads and writes. */
export abstract class MappedNode<M extends ClusterMap = ClusterMap> implements BlockNode {
  readonly name: string;
  readonly driver: string;
  readonly filename?: string;
  readonly image?: ImageOps;
  readonly reopen?: (opts: { readOnly: boolean }) => Promise<void>;
  readonly resize?: (size: number) => Promise<void>;
  protected readonly file: BlockNode;
  protected readonly map: M;
  /** Bytes of a cluster. */
  protected readonly unit: number;
  protected readonly firstWrite: FirstWrite;
  protected backing: BlockNode | undefined;
  readonly #beforeClose: (() => Promise<void>) | undefined;
  #readOnly: boolean;
  #size: number;

  constructor(opts: ClusterNodeOptions & { readonly map: M }) {
    this.name = opts.name;
    this.driver = opts.driver;
    this.file = opts.file;
    this.map = opts.map;
    this.unit = opts.map.clusterSize;
    this.firstWrite = new FirstWrite(opts.firstWrite);
    this.backing = opts.backing;
    this.#beforeClose = opts.beforeClose;
    this.#readOnly = opts.readOnly;
    this.#size = opts.size;
    if (opts.file.filename !== undefined) this.filename = opts.file.filename;
    if (opts.image) this.image = opts.image;
    const { reopen, resize } = opts;
    if (reopen)
      this.reopen = async ({ readOnly }) => {
        if (readOnly === this.#readOnly) return;
        if (readOnly) await this.#settle();
        if (readOnly) this.firstWrite.rearm();
        await reopen({ readOnly });
        this.#readOnly = readOnly;
      };
    if (resize)
      this.resize = async (size) => {
        await this.firstWrite.done();
        await resize(size);
        this.#size = size;
      };
  }

  abstract readonly sectorSize: number;
  abstract read(at: number, into: Uint8Array): Promise<void>;
  abstract write(at: number, from: Uint8Array): Promise<void>;
  abstract writeZeroes(at: number, length: number, unmap: boolean): Promise<void>;
  abstract blockStatus(at: number, length: number): Promise<BlockStatus>;
  abstract flush(): Promise<void>;

  get size(): number {
    return this.#size;
  }
  get readOnly(): boolean {
    return this.#readOnly;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    return this.backing ? { file: this.file, backing: this.backing } : { file: this.file };
  }
  setBacking(node: BlockNode | undefined): void {
    this.backing = node;
  }

  async close(): Promise<void> {
    try {
      await this.#settle();
    } finally {
      await this.backing?.close();
      await this.file.close();
    }
  }

  async #settle(): Promise<void> {
    if (!this.#readOnly && this.map.changed > 0) await this.map.commit();
    await this.#beforeClose?.();
  }

  /** The place of a cluster, or the code of one without. */
  protected async placeOf(cluster: number): Promise<number> {
    for (;;) {
      const place = this.map.peek(cluster);
      if (place !== undefined) return place;
      await this.map.load(cluster);
    }
  }
}
