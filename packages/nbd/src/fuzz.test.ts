import { NullNode } from "@mimus/block";
import fc from "fast-check";
import { expect, test } from "vitest";

import { fuzzClient, fuzzServer } from "./fuzz.ts";

const node = (): NullNode => new NullNode("n", { driver: "null-co", size: 1 << 20, zeroes: true, readOnly: false });

test("random and cut bytes never get more out of a server than an error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      expect(await fuzzServer(seed, node())).toBe("ended");
    }),
    { numRuns: 300 },
  );
});

test("random and cut bytes never get more out of a client than an error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      expect(await fuzzClient(seed)).toBe("ended");
    }),
    { numRuns: 300 },
  );
});
