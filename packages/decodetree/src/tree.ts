import type { Entry } from "./table.ts";

/** A node of the matcher: either select on a run of bits, or try the (few) remaining candidates. */
type Node =
  | { readonly shift: number; readonly mask: number; readonly next: readonly (Node | undefined)[] }
  | { readonly leaf: readonly Entry[] };

/** Most bits one node selects on. */
const MAX_RUN = 8;

/** Compile entries to nested switches, each on the run of bits that splits its candidates best. */
export function compileTree(entries: readonly Entry[], width: number): (word: number) => Entry | undefined {
  const root = build(entries, width, 0);
  return (word) => {
    let node: Node | undefined = root;
    while (node !== undefined) {
      if ("leaf" in node) {
        for (const e of node.leaf) if (matches(e, word)) return e;
        return undefined;
      }
      node = node.next[(word >>> node.shift) & node.mask];
    }
    return undefined;
  };
}

/** Does `word` match all fixed bits of `e`, and no excluded value? */
function matches(e: Entry, word: number): boolean {
  if (((word ^ e.value) & e.mask) !== 0) return false;
  for (const f of e.restricted) if (f.excluded.includes(f.extract(word))) return false;
  return true;
}

function build(entries: readonly Entry[], width: number, used: number): Node {
  const run = entries.length > 1 ? bestRun(entries, width, used) : undefined;
  if (!run) return { leaf: entries };
  const [shift, length] = run;
  const mask = (1 << length) - 1;
  const next: (Node | undefined)[] = [];
  for (let v = 0; v <= mask; v++) {
    const subset = entries.filter((e) => (((e.value >>> shift) ^ v) & (e.mask >>> shift) & mask) === 0);
    next.push(subset.length > 0 ? build(subset, width, used | (mask << shift)) : undefined);
  }
  return { shift, mask, next };
}

/** The run that leaves the smallest largest group; bits fixed in every candidate first. */
function bestRun(entries: readonly Entry[], width: number, used: number): [number, number] | undefined {
  const common = entries.reduce((m, e) => m & e.mask, -1) & ~used;
  const any = entries.reduce((m, e) => m | e.mask, 0) & ~used;
  return pick(entries, width, common) ?? pick(entries, width, any);
}

function pick(entries: readonly Entry[], width: number, usable: number): [number, number] | undefined {
  let best: [number, number] | undefined;
  let score = entries.length;
  for (let shift = 0; shift < width; shift++) {
    for (let length = 1; length <= MAX_RUN && shift + length <= width; length++) {
      const mask = (1 << length) - 1;
      if (((usable >>> shift) & mask) !== mask) break;
      const worst = largestGroup(entries, shift, mask);
      if (worst < score) {
        score = worst;
        best = [shift, length];
      }
    }
  }
  return best;
}

function largestGroup(entries: readonly Entry[], shift: number, mask: number): number {
  const groups: Map<number, number> = new Map();
  let free = 0;
  for (const e of entries) {
    if (((e.mask >>> shift) & mask) !== mask) free++;
    else {
      const v = (e.value >>> shift) & mask;
      groups.set(v, (groups.get(v) ?? 0) + 1);
    }
  }
  return Math.max(0, ...groups.values()) + free;
}
