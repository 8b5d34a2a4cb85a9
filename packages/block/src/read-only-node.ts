import { BlockError } from "./errors.ts";
import type { FormatContext } from "./format.ts";
import type { BlockNode } from "./node.ts";

/** What images that are only read have in common; a format adds `read`, and `blockStatus` where it can tell. */
export abstract class ReadOnlyNode implements BlockNode {
  readonly name: string;
  readonly driver: string;
  readonly readOnly: boolean = true;
  readonly sectorSize: number = 512;
  readonly size: number;
  readonly filename: string;
  readonly children: Readonly<Record<string, BlockNode>>;
  protected readonly file: BlockNode;
  readonly #title: string;

  /** `size`: bytes of the disk. `title`: the format's name in messages; the driver's unless it is given. */
  constructor(file: BlockNode, ctx: FormatContext, driver: string, size: number, title: string = driver) {
    this.name = ctx.name;
    this.driver = driver;
    this.size = size;
    this.filename = ctx.filename;
    this.children = { file };
    this.file = file;
    this.#title = title;
  }

  abstract read(at: number, into: Uint8Array): Promise<void>;

  async write(): Promise<void> {
    throw new BlockError("read-only", `'${this.filename}': ${this.#title} images are read only`);
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    await this.file.close();
  }
}
