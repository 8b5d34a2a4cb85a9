import type { ImageOps } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";
import { zeroRange } from "./node.ts";
import type { BlockStatus } from "./status.ts";
import { statusOf } from "./status.ts";

/** Passes everything on to `file`: what filters override parts of. */
export class FilterNode implements BlockNode {
  readonly name: string;
  readonly driver: string;
  /** The node that is filtered; it closes with the filter. */
  readonly file: BlockNode;
  readonly readOnly: boolean;

  constructor(name: string, driver: string, file: BlockNode, readOnly: boolean) {
    this.name = name;
    this.driver = driver;
    this.file = file;
    this.readOnly = readOnly;
  }

  get size(): number {
    return this.file.size;
  }
  get sectorSize(): number {
    return this.file.sectorSize;
  }
  get filename(): string {
    return this.file.filename ?? "";
  }
  get grows(): boolean {
    return this.file.grows === true;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    return { file: this.file };
  }
  get image(): ImageOps | undefined {
    return undefined;
  }
  get resize(): ((size: number) => Promise<void>) | undefined {
    return this.file.resize && ((size) => this.file.resize?.(size) ?? Promise.resolve());
  }
  get discard(): ((at: number, length: number) => Promise<void>) | undefined {
    return (
      this.file.discard && ((at, length) => this.pass("discard", at, length, () => this.file.discard?.(at, length)))
    );
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.file.read(at, into);
  }
  write(at: number, from: Uint8Array): Promise<void> {
    return this.file.write(at, from);
  }
  flush(): Promise<void> {
    return this.file.flush();
  }
  writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    return this.pass("zero", at, length, () => zeroRange(this.file, at, length, unmap));
  }
  /** The filter has no content of its own: all lies in the node below. */
  blockStatus(at: number, length: number): Promise<BlockStatus> {
    return statusOf(this.file, at, length);
  }
  async allocated(): Promise<number | undefined> {
    return this.file.allocated?.();
  }
  close(): Promise<void> {
    return this.file.close();
  }

  /** Around operations without data; filters that count or delay override it. */
  protected async pass(
    _what: "discard" | "zero",
    _at: number,
    _length: number,
    act: () => Promise<void> | undefined,
  ): Promise<void> {
    await act();
  }
}
