import { size as byteCount } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "../errors.ts";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import type { BlockNode } from "../node.ts";
import { zeroRange } from "../node.ts";
import { SECTOR } from "../sector.ts";

/** Takes space for a growing file in large pieces, and gives back at the end what was not used. */
class PreallocateNode extends FilterNode {
  readonly #align: number;
  readonly #ahead: number;
  /** End of what was written: the size as seen from above. */
  #end: number;
  #growing: Promise<void> = Promise.resolve();

  constructor(name: string, file: BlockNode, readOnly: boolean, align: number, ahead: number) {
    super(name, "preallocate", file, readOnly);
    this.#align = align;
    this.#ahead = ahead;
    this.#end = file.size;
  }

  override get size(): number {
    return this.#end;
  }
  override get resize(): ((size: number) => Promise<void>) | undefined {
    const { resize } = this.file;
    return (
      resize &&
      (async (size) => {
        await resize.call(this.file, size);
        this.#end = size;
      })
    );
  }
  override async write(at: number, from: Uint8Array): Promise<void> {
    await this.#reserve(at + from.length);
    await this.file.write(at, from);
    this.#end = Math.max(this.#end, at + from.length);
  }
  override async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    await this.#reserve(at + length);
    await zeroRange(this.file, at, length, unmap);
    this.#end = Math.max(this.#end, at + length);
  }
  override async close(): Promise<void> {
    if (!this.readOnly && this.file.size > this.#end) await this.file.resize?.(this.#end);
    await this.file.close();
  }

  async #reserve(end: number): Promise<void> {
    if (end <= this.file.size || !this.file.grows) return;
    this.#growing = this.#growing.then(async () => {
      const from = this.file.size;
      if (end <= from) return;
      const to = Math.ceil((end + this.#ahead) / this.#align) * this.#align;
      await zeroRange(this.file, from, to - from, false);
    });
    const mine = this.#growing;
    this.#growing = mine.catch(() => undefined);
    await mine;
  }
}

/** Space for growing files ahead of time. */
export const preallocate: BlockFilter = defineFilter({
  name: "preallocate",
  summary: "Takes space for a growing file in large pieces",
  options: () =>
    z.strictObject({
      "prealloc-align": byteCount.default(1 << 20).describe("bytes; ends of the file are multiples of it"),
      "prealloc-size": byteCount.default(128 << 20).describe("bytes taken ahead"),
    }),
  async open(o, ctx) {
    const align = o["prealloc-align"];
    if (align === 0 || align % SECTOR !== 0)
      throw new BlockError(
        "bad-option",
        `preallocate: option 'prealloc-align': ${align} is not a multiple of ${SECTOR}`,
      );
    return new PreallocateNode(ctx.name, ctx.children["file"] as BlockNode, ctx.readOnly, align, o["prealloc-size"]);
  },
});
