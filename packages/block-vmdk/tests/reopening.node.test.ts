import { MemoryFiles, type BlockNode } from "@mimus/block";
import { pattern } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { vmdk } from "../src/index.ts";
import { MiB, host, node, open, create, bytes } from "./rig.ts";

describe("reopening", () => {
  it.each(["monolithicSparse", "twoGbMaxExtentFlat"])("%s becomes writable and read-only again", async (subformat) => {
    const files = new MemoryFiles();
    await create(files, "a.vmdk", MiB, { subformat });
    const cid = (): string => /CID=(\w+)/.exec(new TextDecoder("latin1").decode(bytes(files, "a.vmdk")))?.[1] ?? "";
    const first = cid();
    const extent = (n: string): Promise<BlockNode> => node(files, n, false);
    const inner = await vmdk.class.format.open(await node(files, "a.vmdk", false), {} as never, {
      name: "n",
      readOnly: true,
      probed: false,
      filename: "a.vmdk",
      explicitBacking: undefined,
      backing: extent,
      extent,
      children: {},
      looksLike: () => "raw",
      warn: () => undefined,
      host,
      format: extent as never,
    });
    for (let round = 0; round < 2; round++) {
      await inner.reopen?.({ readOnly: false });
      expect(inner.readOnly).toBe(false);
      const before = cid();
      await inner.write(round * 100, pattern(100, round));
      expect(cid()).not.toBe(before);
      await inner.reopen?.({ readOnly: true });
      expect(inner.readOnly).toBe(true);
    }
    expect(cid()).not.toBe(first);
    const again = await open(files, "a.vmdk");
    const got = new Uint8Array(200);
    await again.read(0, got);
    expect(got).toEqual(Uint8Array.from([...pattern(100, 0), ...pattern(100, 1)]));
  });
});
