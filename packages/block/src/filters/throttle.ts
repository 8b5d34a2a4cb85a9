import { z } from "zod";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import type { BlockNode } from "../node.ts";
import type { ThrottleClock } from "../throttle.ts";
import type { ThrottleGroup } from "../throttle.ts";

/** Requests wait for room in a throttle group. */
class ThrottleNode extends FilterNode {
  readonly group: ThrottleGroup;
  readonly #clock: ThrottleClock;

  constructor(name: string, file: BlockNode, readOnly: boolean, group: ThrottleGroup, clock: ThrottleClock) {
    super(name, "throttle", file, readOnly);
    this.group = group;
    this.#clock = clock;
    group.users++;
  }

  override close(): Promise<void> {
    this.group.users--;
    return super.close();
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    await this.group.admit(false, into.length, this.#clock);
    return this.file.read(at, into);
  }
  override async write(at: number, from: Uint8Array): Promise<void> {
    await this.group.admit(true, from.length, this.#clock);
    return this.file.write(at, from);
  }
  protected override async pass(
    _what: string,
    _at: number,
    length: number,
    act: () => Promise<void> | undefined,
  ): Promise<void> {
    await this.group.admit(true, length, this.#clock);
    await act();
  }
}

/** The limits of a throttle-group on a node. */
export const throttle: BlockFilter = defineFilter({
  name: "throttle",
  summary: "Limits speed",
  options: () => z.strictObject({ "throttle-group": z.string().describe("id of the throttle-group object") }),
  async open(o, ctx) {
    const group = ctx.throttleGroup(o["throttle-group"]);
    return new ThrottleNode(ctx.name, ctx.children["file"] as BlockNode, ctx.readOnly, group, ctx);
  },
});
