import type { BlockNode, BlockStatus } from "@mimus/block";
import { statusOf, zeroRange } from "@mimus/block";

/** A fixed VHD: the disk as it is, with a footer behind it. */
export class FixedVhd implements BlockNode {
  readonly name: string;
  readonly driver: string = "vpc";
  readonly size: number;
  readonly sectorSize: number = 512;
  readonly children: Readonly<Record<string, BlockNode>>;
  readOnly: boolean;
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly #file: BlockNode;

  constructor(name: string, file: BlockNode, size: number, readOnly: boolean) {
    this.name = name;
    this.#file = file;
    this.size = size;
    this.readOnly = readOnly;
    this.children = { file };
    if (file.discard) this.discard = (at, length) => file.discard?.(at, length) ?? Promise.resolve();
  }

  get filename(): string {
    return this.#file.filename ?? "";
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#file.read(at, into);
  }
  write(at: number, from: Uint8Array): Promise<void> {
    return this.#file.write(at, from);
  }
  writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    return zeroRange(this.#file, at, length, unmap);
  }
  flush(): Promise<void> {
    return this.#file.flush();
  }
  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    // Holes of the file are data of the disk that read as zeroes.
    return { ...(await statusOf(this.#file, at, length)), allocated: true, data: true };
  }
  async reopen(opts: { readOnly: boolean }): Promise<void> {
    this.readOnly = opts.readOnly;
  }
  close(): Promise<void> {
    return this.#file.close();
  }
}
