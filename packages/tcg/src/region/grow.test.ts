import { expect, it } from "vitest";
import type { Tb } from "../exec/blocks.ts";
import type { Profile } from "./grow.ts";
import { regrow } from "./grow.ts";

const block = (pcLo: number, ...targets: number[]): Tb =>
  ({ pcLo, insns: 4, exits: targets.map((target) => ({ at: 0, kind: "jump", target })) }) as unknown as Tb;

/** A loop from 0 over 4, or 8, to 12. */
const blocks = [block(0, 4, 8), block(4, 12), block(8, 12), block(12, 0)];
const [head, , late, hot] = blocks as [Tb, Tb, Tb, Tb];

function profile(late8: number): Profile {
  return {
    blockAt: (pcLo) => blocks.find((tb) => tb.pcLo === pcLo),
    near: () => blocks,
    executions: (tb) => (tb === late ? late8 : 1000),
    targets: () => [],
  };
}

it("grows a region once more when what it lacks has become hot", () => {
  const members = blocks.filter((tb) => tb !== late);
  expect(regrow({ head, members }, hot, profile(99), 100, 100)).toBeUndefined();
  expect(regrow({ head, members }, hot, profile(100), 100, 100)?.blocks).toContain(late);
  expect(regrow({ head, members: blocks }, hot, profile(100), 100, 100)).toBeUndefined();
});

it("does not where the hot block would be left out", () => {
  const members = blocks.filter((tb) => tb !== late);
  expect(regrow({ head, members }, late, profile(1), 12, 1)).toBeUndefined();
});
