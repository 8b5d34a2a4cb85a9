import { z } from "zod";
import { BlockError } from "../errors.ts";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import type { BlockNode } from "../node.ts";
import { isZero, zeroRange } from "../node.ts";
import { RangeLock } from "../range-lock.ts";

/** What is written is stored compressed, one cluster after the other. */
class CompressNode extends FilterNode {
  readonly #unit: number;
  readonly #lock = new RangeLock();

  constructor(name: string, file: BlockNode, readOnly: boolean) {
    super(name, "compress", file, readOnly);
    this.#unit = file.image?.clusterSize ?? 65536;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    for (let done = 0; done < from.length;) {
      const here = at + done;
      const start = here - (here % this.#unit);
      const length = Math.min(this.#unit, this.size - start);
      const piece = from.subarray(done, done + length - (here - start));
      await this.#lock.run(start, length, () => this.#cluster(start, length, here - start, piece));
      done += piece.length;
    }
  }

  async #cluster(start: number, length: number, skip: number, piece: Uint8Array): Promise<void> {
    let whole = piece;
    if (piece.length < length) {
      whole = new Uint8Array(length);
      await this.file.read(start, whole);
      whole.set(piece, skip);
    }
    if (isZero(whole)) await zeroRange(this.file, start, length, true);
    else await this.file.image?.writeCompressed?.(start, whole);
  }
}

/** Stores compressed what is written. */
export const compress: BlockFilter = defineFilter({
  name: "compress",
  summary: "Stores what is written compressed",
  options: () => z.strictObject({}),
  async open(_options, ctx) {
    const file = ctx.children["file"] as BlockNode;
    if (!file.image?.writeCompressed)
      throw new BlockError("unsupported-feature", `Compression is not supported for this node '${file.name}'`);
    return new CompressNode(ctx.name, file, ctx.readOnly);
  },
});
