/** Small guest functions that call nothing are copied to where they are called: a call of the host costs more than they do. */
import type { Tb } from "../exec/blocks.ts";
import type { Profile } from "./grow.ts";
import type { RegionBlock } from "./plan.ts";

/** Blocks and instructions of a function that is copied, and instructions of all copies in one region, at most. */
const MOST_BLOCKS = 8;
const MOST_INSNS = 64;
const MOST_COPIED = 500;
/** Functions copied for one call through a register. */
const MOST_CALLEES = 8;

/** The blocks of a small function that calls nothing, its entry first; undefined where it is something else. */
function leafAt(pcLo: number, profile: Profile): Tb[] | undefined {
  const entry = profile.blockAt(pcLo);
  if (entry === undefined) return undefined;
  const blocks = [entry];
  let insns = 0;
  let returns = false;
  // The list grows while it is gone through.
  for (const tb of blocks) {
    insns += tb.insns;
    if (insns > MOST_INSNS || tb.exits.length === 0) return undefined;
    for (const { kind, target } of tb.exits) {
      if (kind === "return") returns = true;
      else if (kind !== "jump") return undefined;
      else {
        const next = profile.blockAt(target);
        if (next === undefined || blocks.includes(next)) continue;
        if (blocks.length === MOST_BLOCKS) return undefined;
        blocks.push(next);
      }
    }
  }
  return returns ? blocks : undefined;
}

/** The functions that the call at the end of a block goes to, most frequent first. */
function calledBy(tb: Tb, profile: Profile): readonly number[] {
  const call = tb.exits.find(({ kind }) => kind === "call" || kind === "indirect-call");
  if (call === undefined) return [];
  return call.kind === "call" ? [call.target] : profile.targets(tb).slice(0, MOST_CALLEES);
}

/** How a block's IR is made for a region in which other blocks start at `starts`. */
export type MakeBlock = (tb: Tb, starts: ReadonlySet<number>) => RegionBlock | undefined;

/**
 * Adds copies of small functions behind `blocks`, whose calls then lead to them. What a copy returns to is where its
 * call would have gone on; `nodeAt` has the nodes of the region proper.
 */
export function inlineCalls(
  blocks: readonly RegionBlock[], nodeAt: ReadonlyMap<number, number>, profile: Profile, make: MakeBlock,
): RegionBlock[] {
  const out = [...blocks];
  const leaves = new Map<number, RegionBlock[] | undefined>();
  let room = MOST_COPIED;
  blocks.forEach((it, i) => {
    const { tb } = it;
    const back = (tb.pcLo + tb.length) | 0;
    if (it.insns !== tb.insns || !nodeAt.has(back)) return;
    const callees: { target: number; node: number }[] = [];
    for (const target of calledBy(tb, profile)) {
      if (!leaves.has(target)) leaves.set(target, makeLeaf(leafAt(target, profile), make));
      const leaf = leaves.get(target);
      if (leaf === undefined) continue;
      room -= leaf.reduce((sum, { insns }) => sum + insns, 0);
      if (room < 0) break;
      callees.push({ target, node: out.length + 1 });
      const scope = new Map<number, number>();
      leaf.forEach((copy, n) => scope.set(copy.tb.pcLo, out.length + n + 1));
      for (const copy of leaf) out.push({ ...copy, scope, returnsTo: back });
    }
    if (callees.length > 0) out[i] = { ...it, callees };
  });
  return out;
} // prettier-ignore

function makeLeaf(leaf: readonly Tb[] | undefined, make: MakeBlock): RegionBlock[] | undefined {
  if (leaf === undefined) return undefined;
  const starts = new Set(leaf.map(({ pcLo }) => pcLo));
  const made = leaf.map((tb) => make(tb, starts));
  return made.every((it) => it !== undefined) ? made : undefined;
}
