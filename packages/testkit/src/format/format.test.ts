import { type BlockNode, defineFormat, raw, RawNode } from "@mimus/block";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runCuts } from "./cuts.ts";
import { runFaults } from "./faults.ts";
import { runMutations } from "./mutations.ts";
import { runRandomOperations } from "./operations.ts";
import { FormatRig } from "./rig.ts";
import { testFormat } from "./suite.ts";

// Any file is a raw image: nothing is damaged, and there is nothing to probe.
testFormat(raw, { without: ["hostile", "probe"] });

/** A format with a fault built in: what the suite must find. */
function faulty(spoil: (node: RawNode, file: BlockNode) => Partial<BlockNode>): FormatRig {
  const format = defineFormat({
    name: "faulty",
    summary: "raw with a fault",
    options: z.strictObject({}),
    probe: () => 50,
    async create(file, size) {
      await file.resize?.(size);
    },
    async open(file, _options, ctx) {
      const node = new RawNode(ctx.name, file, { readOnly: ctx.readOnly });
      return Object.assign(node, spoil(node, file));
    },
  });
  return new FormatRig({ format, size: 1 << 20 });
}

describe("the suite finds", () => {
  it("a write that goes astray", async () => {
    const rig = faulty((node, file) => ({
      write: (at, from) => file.write(at > 500_000 ? at - 512 : at, from),
      writev: async (at, from) => {
        for (const piece of from) await node.write(at, piece);
      },
    }));
    await expect(runRandomOperations(rig, { operations: 400, seed: 1 })).rejects.toThrow(/seed 1, operation \d+/);
  });

  it("a flush that is not passed on", async () => {
    const rig = faulty(() => ({ flush: async () => undefined }));
    await expect(runCuts(rig, { cuts: 100, seed: 1, requests: 60 })).rejects.toThrow(/seed 1, cut \d+/);
  });

  it("an error that is no BlockError, for a damaged image", async () => {
    const rig = faulty((node) => ({
      read: async (at, into) => {
        await RawNode.prototype.read.call(node, at, into);
        if (into[0] !== 0 && at === 0) throw new TypeError("oops");
      },
    }));
    await rig.create();
    await expect(runMutations(rig, { seeds: [rig.contents()], runs: 300, seed: 1 })).rejects.toThrow(/TypeError: oops/);
  });

  it("a failure that is swallowed", async () => {
    const make = (): FormatRig =>
      faulty((_node, file) => ({ write: async (at, from) => file.write(at, from).catch(() => undefined) }));
    await expect(runFaults(make, { seed: 1, most: 40 })).rejects.toThrow(/seed 1, EIO at call \d+/);
  });
});
