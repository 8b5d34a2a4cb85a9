/** Shapes of random graphs, checked against the definitions: dominators, headers, ways to resume. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ENTRY_NODE, shapeOf, type Shape } from "../src/region/shape.ts";

/** Successors of nodes 1..n, index 0 unused. */
const graphs = fc
  .integer({ min: 1, max: 14 })
  .chain((n) =>
    fc.tuple(
      ...Array.from({ length: n + 1 }, (_, i) =>
        i === 0 ? fc.constant([]) : fc.array(fc.integer({ min: 1, max: n }), { maxLength: 3 }),
      ),
    ),
  );

function reachable(edges: readonly (readonly number[])[], from: number, without = -1): Set<number> {
  const seen = new Set<number>(from === without ? [] : [from]);
  const work = [...seen];
  while (work.length > 0) {
    for (const to of edges[work.pop()!]!) {
      if (to === without || seen.has(to)) continue;
      seen.add(to);
      work.push(to);
    }
  }
  return seen;
}

/** The edges that code is made for: those that were not cut, and those by which entries resume. */
function finalEdges(graph: readonly (readonly number[])[], shape: Shape): number[][] {
  const edges = graph.map((list, from) => list.filter((to) => !shape.cut.has(from * shape.size + to)));
  edges[ENTRY_NODE] = [1];
  shape.resume.forEach((list, from) => edges[from]!.push(...list.map(({ node }) => node)));
  return edges;
}

const check = (property: (graph: readonly (readonly number[])[], shape: Shape) => void): void =>
  fc.assert(
    fc.property(graphs, (graph) => property(graph, shapeOf(graph, 1))),
    { numRuns: Number(process.env["MIMUS_FUZZ_RUNS"] ?? 2000), seed: 2026 },
  );

test("every node that is reached from the head has a place; the tree's parents are the immediate dominators", () => {
  check((graph, shape) => {
    const edges = finalEdges(graph, shape);
    const nodes = reachable([[1], ...graph.slice(1)], ENTRY_NODE);
    for (let n = 0; n < shape.size; n++) expect(shape.index[n]! >= 0).toBe(nodes.has(n));
    const parent = new Map(shape.children.flatMap((list, p) => list.map((c) => [c, p] as const)));
    for (const node of nodes) {
      if (node === ENTRY_NODE) continue;
      const dominators = [...nodes].filter((d) => d !== node && !reachable(edges, ENTRY_NODE, d).has(node));
      // The immediate one is dominated by all others.
      const immediate = dominators.find((d) =>
        dominators.every((o) => o === d || !reachable(edges, ENTRY_NODE, o).has(d)),
      );
      expect(parent.get(node)).toBe(immediate);
    }
  });
});

test("what is left is reducible, and every edge backwards goes to a header", () => {
  check((graph, shape) => {
    const edges = finalEdges(graph, shape);
    for (const from of reachable(edges, ENTRY_NODE)) {
      for (const to of edges[from]!) {
        if (shape.index[to]! > shape.index[from]!) continue;
        expect(shape.header[to]).toBe(1);
        expect(to === from || !reachable(edges, ENTRY_NODE, to).has(from)).toBe(true);
      }
    }
  });
});

test("every number leads to its node, and to no other; headers and targets of cut edges have one", () => {
  check((graph, shape) => {
    const numbers = [...shape.number].filter((n) => n > 0);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (let node = 1; node < shape.size; node++) {
      if (shape.header[node] === 1) expect(shape.number[node]).toBeGreaterThan(0);
      const number = shape.number[node]!;
      if (number === 0) continue;
      let at = ENTRY_NODE;
      for (let hops = 0; at !== node; hops++) {
        expect(hops).toBeLessThan(shape.size);
        const ways = shape.resume[at]!.filter(({ low, high }) => low <= number && number <= high);
        expect(ways).toHaveLength(1);
        at = ways[0]!.node;
      }
    }
    for (const edge of shape.cut) expect(shape.number[edge % shape.size]).toBeGreaterThan(0);
    // Every cycle of the guest's looks at the budget.
    const uncounted = graph.map((list, from) =>
      list.filter((to) => from > 0 && shape.number[to] === 0 && shape.index[to]! >= 0 && to !== 1),
    );
    for (const node of reachable([[1], ...graph.slice(1)], ENTRY_NODE)) {
      if (node === ENTRY_NODE) continue;
      const ahead = uncounted[node]!.flatMap((to) => [...reachable(uncounted, to)]);
      expect(ahead).not.toContain(node);
    }
  });
});
