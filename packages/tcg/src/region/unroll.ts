/** Small loops are copied into themselves: the budget, the host's own checks and looks at memory windows serve several rounds. */
import type { Edges, RegionPlan } from "./plan.ts";
import { innermostLoops } from "./shape.ts";

/** Instructions of an unrolled loop, all copies together: what a round costs besides is as much as six. */
const UNROLLED = 24;
const MOST_COPIES = 4;

/** The plan with small innermost loops unrolled. Loops that call something are left as they are. */
export function unroll(plan: RegionPlan, { successors, continuation }: Edges): RegionPlan {
  const out = [...plan.blocks];
  for (const { header, body } of innermostLoops(successors, 1)) {
    const blocks = body.map((node) => plan.blocks[node - 1]!);
    const insns = blocks.reduce((sum, it) => sum + it.insns, 0);
    const copies = Math.min(MOST_COPIES, Math.floor(UNROLLED / insns));
    if (copies < 2 || body.some((node) => continuation[node] !== 0)) continue;
    const within = blocks[0]!.scope;
    if (blocks.some(({ scope, callees }) => scope !== within || callees !== undefined)) continue;
    const start = plan.blocks[header - 1]!.tb.pcLo;
    const first = out.length + 1;
    const nodeOf = (copy: number, i: number): number =>
      copy % copies === 0 ? body[i]! : first + (copy - 1) * body.length + i;
    const at = body.indexOf(header);
    for (let copy = 0; copy < copies; copy++) {
      const scope = new Map<number, number>(within);
      if (copy > 0) blocks.forEach(({ tb }, i) => scope.set(tb.pcLo, nodeOf(copy, i)));
      scope.set(start, nodeOf(copy + 1, at));
      blocks.forEach((it, i) => (out[nodeOf(copy, i) - 1] = { ...it, scope }));
    }
  }
  return { ...plan, blocks: out };
}
