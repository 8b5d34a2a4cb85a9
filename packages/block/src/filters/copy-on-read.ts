import { z } from "zod";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import type { BlockNode } from "../node.ts";
import { MAX_TRANSFER } from "../node.ts";
import { RangeLock } from "../range-lock.ts";
import { statusOf } from "../status.ts";

/** What is read from a backing image is written into the image above: the next read finds it there. */
class CopyOnReadNode extends FilterNode {
  /** A copy and a write of newer bytes must not change places. */
  readonly #lock = new RangeLock();

  constructor(name: string, file: BlockNode, readOnly: boolean) {
    super(name, "copy-on-read", file, readOnly);
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    if (this.readOnly) return this.file.read(at, into);
    const unit = this.file.image?.clusterSize ?? 65536;
    for (let done = 0; done < into.length;) {
      const here = at + done;
      const status = await statusOf(this.file, here, into.length - done);
      const piece = into.subarray(done, done + status.length);
      if (status.allocated) await this.file.read(here, piece);
      else await this.#copy(here, piece, unit);
      done += piece.length;
    }
  }

  override write(at: number, from: Uint8Array): Promise<void> {
    return this.#lock.run(at, from.length, () => this.file.write(at, from));
  }
  protected override async pass(
    _what: string,
    at: number,
    length: number,
    act: () => Promise<void> | undefined,
  ): Promise<void> {
    await this.#lock.run(at, length, async () => act());
  }

  async #copy(at: number, into: Uint8Array, unit: number): Promise<void> {
    const end = at + into.length;
    // Whole clusters, so that the image need not read the rest of them itself.
    for (let here = at - (at % unit); here < end; here += MAX_TRANSFER) {
      const stop = Math.min(here + MAX_TRANSFER, Math.ceil(end / unit) * unit, this.size);
      await this.#lock.run(here, stop - here, async () => {
        const bytes = new Uint8Array(stop - here);
        await this.file.read(here, bytes);
        for (let from = here; from < stop;) {
          const status = await statusOf(this.file, from, stop - from);
          const until = from + status.length;
          if (!status.allocated) await this.file.write(from, bytes.subarray(from - here, until - here));
          from = until;
        }
        const [a, b] = [Math.max(at, here), Math.min(end, stop)];
        into.set(bytes.subarray(a - here, b - here), a - at);
      });
    }
  }
}

/** Copies what is read from below into the image. */
export const copyOnRead: BlockFilter = defineFilter({
  name: "copy-on-read",
  summary: "Copies what is read from a backing image into the image above it",
  options: () =>
    z.strictObject({
      bottom: z.string().optional().describe("accepted: copying ends at the node's backing image"),
    }),
  async open(_options, ctx) {
    return new CopyOnReadNode(ctx.name, ctx.children["file"] as BlockNode, ctx.readOnly);
  },
});
