import { z } from "zod";
import { BlockError } from "../errors.ts";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import type { BlockNode } from "../node.ts";
import { zeroRange } from "../node.ts";

/** Writes go to two nodes, and what is read from both must be equal. */
class BlkverifyNode extends FilterNode {
  readonly raw: BlockNode;

  constructor(name: string, test: BlockNode, raw: BlockNode, readOnly: boolean) {
    super(name, "blkverify", test, readOnly);
    this.raw = raw;
  }
  override get children(): Readonly<Record<string, BlockNode>> {
    return { test: this.file, raw: this.raw };
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    const other = new Uint8Array(into.length);
    await Promise.all([this.file.read(at, into), this.raw.read(at, other)]);
    for (let i = 0; i < into.length; i++)
      if (into[i] !== other[i])
        throw new BlockError(
          "corrupt",
          `blkverify: read sector_num=${Math.floor(at / 512)} nb_sectors=${into.length / 512} contents mismatch at offset ${at + i}`,
          { at: at + i },
        );
  }
  override async write(at: number, from: Uint8Array): Promise<void> {
    await Promise.all([this.file.write(at, from), this.raw.write(at, from)]);
  }
  override async flush(): Promise<void> {
    await Promise.all([this.file.flush(), this.raw.flush()]);
  }
  override async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    await Promise.all([zeroRange(this.file, at, length, unmap), zeroRange(this.raw, at, length, unmap)]);
  }
  /** Discarded bytes may read as anything: the two would differ. */
  override get discard(): undefined {
    return undefined;
  }
  override get resize(): undefined {
    return undefined;
  }
  override async close(): Promise<void> {
    await this.file.close();
    await this.raw.close();
  }
}

/** Compares an image with a raw one. Source: QEMU 7.2, `BlockdevOptionsBlkverify` and docs/devel/blkverify.txt. */
export const blkverify: BlockFilter = defineFilter({
  name: "blkverify",
  summary: "Compares what is read from an image with a raw copy",
  children: { test: "required", raw: "required" },
  options: () => z.strictObject({}),
  async open(_options, ctx) {
    const { test, raw } = ctx.children as Record<"test" | "raw", BlockNode>;
    if (test.size !== raw.size)
      throw new BlockError("bad-option", `blkverify: the images have ${test.size} and ${raw.size} bytes`);
    return new BlkverifyNode(ctx.name, test, raw, ctx.readOnly);
  },
  parse(filename) {
    const m = /^blkverify:([^:]+):(.+)$/s.exec(filename);
    if (!m) throw new BlockError("bad-option", `'${filename}': blkverify:RAW:IMAGE`);
    return { raw: m[1], test: m[2] };
  },
});
