import type { Block } from "./block.ts";

/**
 * Whether the operation at `x` is performed on every path to the one at `y` (x ≠ y), for all pairs. Unreachable code
 * is dominated by everything. Labels may be reached backwards.
 *
 * Source: Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm", 2001; here with bit sets over runs of
 * operations without a label or branch between them, as blocks are small.
 */
export function dominators(block: Block): (x: number, y: number) => boolean {
  const runs = splitRuns(block);
  const all = (1n << BigInt(runs.starts.length)) - 1n;
  const dom: bigint[] = runs.starts.map(() => all);
  dom[0] = 1n;
  for (let changed = true; changed;) {
    changed = false;
    for (let r = 1; r < dom.length; r++) {
      let meet = all;
      for (const p of runs.predecessors[r]!) meet &= dom[p]!;
      const next = meet | (1n << BigInt(r));
      if (next !== dom[r]) {
        dom[r] = next;
        changed = true;
      }
    }
  }
  return (x, y) => {
    const rx = runs.of[x]!;
    const ry = runs.of[y]!;
    return rx === ry ? x < y : ((dom[ry]! >> BigInt(rx)) & 1n) === 1n;
  };
}

/** Runs of operations: each starts at a label or after a branch. */
function splitRuns(block: Block): { starts: number[]; of: number[]; predecessors: number[][] } {
  const starts = [0];
  const of: number[] = [];
  const runOfLabel = new Map<number, number>();
  block.ops.forEach((op, i) => {
    const previous = block.ops[i - 1];
    const afterBranch = previous !== undefined && (previous.spec.terminator || previous.spec.name === "brcond");
    if (i > 0 && (op.spec.name === "label" || afterBranch)) starts.push(i);
    of.push(starts.length - 1);
    if (op.spec.name === "label") runOfLabel.set(op.imm, starts.length - 1);
  });
  const predecessors: number[][] = starts.map(() => []);
  block.ops.forEach((op, i) => {
    const name = op.spec.name;
    const target = name === "br" || name === "brcond" ? runOfLabel.get(op.imm) : undefined;
    if (target !== undefined) predecessors[target]!.push(of[i]!);
    const next = of[i + 1];
    if (next !== undefined && next !== of[i] && !op.spec.terminator) predecessors[next]!.push(of[i]!);
  });
  return { starts, of, predecessors };
}
