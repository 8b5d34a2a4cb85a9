/** Chooses the blocks of a region from the profile: a head to enter by, and what is reached from it often enough. */
import type { Tb } from "../exec/blocks.ts";
import { MOST_COMPARISONS } from "./hub.ts";

/** What the profile knows. Addresses are low halves; all blocks have the flags and the upper half of the hot one. */
export interface Profile {
  /** The block at an address, if it has been executed and may be part of a region. */
  blockAt(pcLo: number): Tb | undefined;
  /** Blocks with code near an address. */
  near(pcLo: number): Iterable<Tb>;
  executions(tb: Tb): number;
  /** Where an indirect jump at the end of the block went, most frequent first. */
  targets(tb: Tb): readonly number[];
}

/** The blocks of a region: the head comes first. */
export interface Growth {
  readonly blocks: readonly Tb[];
  readonly insns: number;
}

/** A region with a hub may be as many times larger. */
const WITH_HUB = 5;
/** Blocks looked at when a head is looked for. */
const MOST_BEFORE = 400;
/** Targets of one indirect jump that become edges. */
const MOST_TARGETS = 64;

/** The way on from a block, within its function. */
function successors(tb: Tb, profile: Profile): number[] {
  const out: number[] = [];
  for (const { kind, target } of tb.exits) {
    if (kind === "jump") out.push(target);
    else if (kind === "call" || kind === "indirect-call") out.push((tb.pcLo + tb.length) | 0);
    else if (kind === "indirect") out.push(...profile.targets(tb).slice(0, MOST_TARGETS));
  }
  return out;
}

/**
 * A head from which the hot block is reached with the loops around it intact: the function's entry, as far as that can
 * be seen. The block itself where its surroundings are too large, or where `taken` says that the head has a region.
 */
function findHead(hot: Tb, profile: Profile, taken: (head: Tb) => boolean): Tb {
  const before = new Map<Tb, Tb[]>();
  const looked = new Set<number>();
  const look = (tb: Tb): void => {
    const page = tb.pcLo >>> 12;
    if (looked.has(page)) return;
    looked.add(page);
    for (const other of profile.near(tb.pcLo)) {
      for (const to of successors(other, profile)) {
        const it = profile.blockAt(to);
        if (it === undefined) continue;
        const list = before.get(it);
        if (list === undefined) before.set(it, [other]);
        else if (!list.includes(other)) list.push(other);
      }
    }
  };
  const seen = new Set([hot]);
  const work = [hot];
  const heads: Tb[] = [];
  while (work.length > 0) {
    const tb = work.pop()!;
    look(tb);
    const list = before.get(tb) ?? [];
    if (!list.some((p) => p !== tb)) heads.push(tb);
    for (const p of list) {
      if (seen.has(p)) continue;
      if (seen.size >= MOST_BEFORE) return hot;
      seen.add(p);
      work.push(p);
    }
  }
  let best: Tb | undefined;
  for (const head of heads) {
    if (taken(head)) continue;
    if (best === undefined || profile.executions(head) > profile.executions(best)) best = head;
  }
  return best ?? hot;
}

/** Grows a region around a hot block, of at most `maxInsns` guest instructions. */
export function grow(hot: Tb, profile: Profile, maxInsns: number, taken: (head: Tb) => boolean): Growth {
  // What is in a region, but is entered from elsewhere, has to be a head.
  const head = (hot.regions?.size ?? 0) > 0 ? hot : findHead(hot, profile, taken);
  const whole = growFrom(head, profile, maxInsns);
  return head === hot || whole.blocks.includes(hot) ? whole : growFrom(hot, profile, maxInsns);
}

/**
 * The same region once more, if it lacks something that has since been executed `often`. Where that was left out, its loops are entered
 * in the middle; a region that began there would have several ways into each of them, through which gzip took 8 % longer.
 */
export function regrow(
  { head, members }: { readonly head: Tb; readonly members: readonly Tb[] },
  hot: Tb,
  profile: Profile,
  maxInsns: number,
  often: number,
): Growth | undefined {
  const whole = growFrom(head, profile, maxInsns);
  if (!whole.blocks.includes(hot)) return undefined;
  return whole.blocks.some((tb) => profile.executions(tb) >= often && !members.includes(tb)) ? whole : undefined;
}

/** Takes the most executed block that is reached from the region so far, again and again. */
function growFrom(head: Tb, profile: Profile, maxInsns: number): Growth {
  const blocks: Tb[] = [];
  const seen = new Set([head]);
  const frontier = [head];
  let insns = 0;
  let comparisons = 0;
  while (frontier.length > 0) {
    let at = 0;
    for (let i = 1; i < frontier.length; i++) {
      if (profile.executions(frontier[i]!) > profile.executions(frontier[at]!)) at = i;
    }
    const tb = frontier[at]!;
    frontier[at] = frontier.at(-1)!;
    frontier.pop();
    const most = comparisons > MOST_COMPARISONS ? WITH_HUB * maxInsns : maxInsns;
    if (insns + tb.insns > most && blocks.length > 0) continue;
    insns += tb.insns;
    blocks.push(tb);
    if (tb.exits.some(({ kind }) => kind === "indirect")) comparisons += profile.targets(tb).length;
    for (const to of successors(tb, profile)) {
      const next = profile.blockAt(to);
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      frontier.push(next);
    }
  }
  return { blocks, insns };
}
