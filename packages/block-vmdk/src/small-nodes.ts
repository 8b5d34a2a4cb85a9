import { BlockError, type BlockNode, type BlockStatus, statusOf } from "@mimus/block";

/** A flat extent: a window on a file, in which the file knows what is still zero. */
export class FlatNode implements BlockNode {
  readonly name: string;
  readonly size: number;
  readOnly: boolean;
  readonly sectorSize: number = 512;
  readonly filename?: string;
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly writeZeroes?: (at: number, length: number, unmap: boolean) => Promise<void>;
  readonly readv?: (at: number, into: readonly Uint8Array[]) => Promise<void>;
  readonly writev?: (at: number, from: readonly Uint8Array[]) => Promise<void>;
  readonly #file: BlockNode;
  readonly #offset: number;
  readonly #fixed: boolean;

  readonly #shared: boolean;

  /** `fixed`: the descriptor says RDONLY. `shared`: another extent closes the file. */
  constructor(
    file: BlockNode,
    offset: number,
    size: number,
    { readOnly, fixed = false, shared = false }: { readOnly: boolean; fixed?: boolean; shared?: boolean },
  ) {
    this.#shared = shared;
    this.name = file.name;
    this.size = size;
    this.readOnly = readOnly || fixed;
    this.#fixed = fixed;
    this.#file = file;
    this.#offset = offset;
    if (file.filename !== undefined) this.filename = file.filename;
    const { discard, writeZeroes, readv, writev } = file;
    if (readv) this.readv = (at, into) => readv.call(file, at + offset, into);
    if (fixed) return;
    if (discard) this.discard = (at, length) => discard.call(file, at + offset, length);
    if (writeZeroes) this.writeZeroes = (at, length, unmap) => writeZeroes.call(file, at + offset, length, unmap);
    if (writev) this.writev = (at, from) => writev.call(file, at + offset, from);
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#file.read(at + this.#offset, into);
  }
  async write(at: number, from: Uint8Array): Promise<void> {
    if (this.#fixed) throw new BlockError("read-only", `The extent '${this.name}' is RDONLY`);
    await this.#file.write(at + this.#offset, from);
  }
  async reopen(opts: { readOnly: boolean }): Promise<void> {
    this.readOnly = opts.readOnly || this.#fixed;
  }
  flush(): Promise<void> {
    return this.#file.flush();
  }
  async close(): Promise<void> {
    if (!this.#shared) await this.#file.close();
  }
  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const file = this.#file;
    const offset = at + this.#offset;
    const room = file.size - offset;
    if (room <= 0) return { length, allocated: true, zero: false, data: true, offset, file };
    const known = await statusOf(file, offset, Math.min(length, room));
    return { length: known.length, allocated: true, zero: known.zero, data: true, offset, file };
  }
}

/** An extent without a file: reads as zeroes. */
export class ZeroNode implements BlockNode {
  readonly name: string = "zero";
  readonly size: number;
  readonly readOnly: boolean = true;
  readonly sectorSize: number = 512;

  constructor(size: number) {
    this.size = size;
  }

  async read(_at: number, into: Uint8Array): Promise<void> {
    into.fill(0);
  }
  async write(): Promise<void> {
    throw new BlockError("read-only", "An extent of type ZERO cannot be written");
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
  async blockStatus(_at: number, length: number): Promise<BlockStatus> {
    return { length, allocated: true, zero: true, data: false };
  }
}

/**
 * The parent as the extents see it: asked for its identity before the first read, and closed by the image, not by the
 * extents.
 */
export class ParentView implements BlockNode {
  readonly name: string;
  readonly readOnly: boolean = true;
  readonly sectorSize: number = 512;
  #node: BlockNode;
  #check: ((node: BlockNode) => Promise<void>) | undefined;

  constructor(node: BlockNode, check: (node: BlockNode) => Promise<void>) {
    this.name = node.name;
    this.#node = node;
    this.#check = check;
  }

  get size(): number {
    return this.#node.size;
  }
  async read(at: number, into: Uint8Array): Promise<void> {
    if (this.#check) {
      await this.#check(this.#node);
      this.#check = undefined;
    }
    await this.#node.read(at, into);
  }
  write(): Promise<void> {
    return Promise.reject(new BlockError("read-only", `The parent '${this.name}' is not written`));
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}
