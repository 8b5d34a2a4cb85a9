/**
 * The shape of a region's control flow: reverse post-order, dominators, loops, and the edges by which an entry resumes
 * in the middle of a loop nest.
 *
 * Source: Ramsey, "Beyond Relooper", ICFP 2022 (structured code from the dominator tree); Cooper, Harvey, Kennedy,
 * "A Simple, Fast Dominance Algorithm", 2001.
 */

/** The node that stands for the region's entry: it runs no guest code. */
export const ENTRY_NODE = 0;

/** A range of resume numbers and the node that an entry with one of them goes to first. */
export interface ResumeEdge {
  readonly node: number;
  readonly low: number;
  readonly high: number;
}

/** Nodes are numbered from 1; {@link ENTRY_NODE} comes before them. */
export interface Shape {
  /** By node: its successors' places in this order tell back edges; -1 when it is not reachable. */
  readonly index: Int32Array;
  /** By node: the nodes that it dominates directly, in reverse post-order. */
  readonly children: readonly (readonly number[])[];
  /** By node: 1 when it starts a loop. */
  readonly header: Uint8Array;
  /** By node: where an entry in its loop nest, or (for the entry node) in the region, goes on. */
  readonly resume: readonly (readonly ResumeEdge[])[];
  /** By node: the number by which an entry resumes there; 0 when none can. */
  readonly number: Int32Array;
  /** The greatest of these numbers. */
  readonly greatest: number;
  /** Edges that would make the graph irreducible, as `from * size + to`: they go by way of the entry. */
  readonly cut: ReadonlySet<number>;
  /** Number of nodes, the entry included. */
  readonly size: number;
}

/** The edges without those to the entry, which goes to the head and to the targets of the hub. */
function edgesFrom(successors: readonly (readonly number[])[], head: number): number[][] {
  const edges = successors.map((list) => [...new Set(list)].filter((to) => to !== ENTRY_NODE));
  edges[ENTRY_NODE] = [...new Set([head, ...successors[ENTRY_NODE]!])];
  return edges;
}

/**
 * Finds the shape of a graph: `successors[n]` of node n, of which `head` is entered from outside. What goes to the entry
 * goes on to one of the entry's successors from there.
 */
export function shapeOf(successors: readonly (readonly number[])[], head: number): Shape {
  const size = successors.length;
  const edges = edgesFrom(successors, head);
  const cut: Set<number> = new Set();
  const cutTargets: Set<number> = new Set(successors[ENTRY_NODE]);
  let order = reversePostOrder(edges);
  let idom = dominatorsOf(edges, order);
  for (;;) {
    const bad = irreducible(edges, order, idom);
    if (bad.length === 0) break;
    for (const [from, to] of bad) {
      cut.add(from * size + to);
      cutTargets.add(to);
      edges[from] = edges[from]!.filter((n) => n !== to);
      if (!edges[ENTRY_NODE]!.includes(to)) edges[ENTRY_NODE]!.push(to);
    }
    order = reversePostOrder(edges);
    idom = dominatorsOf(edges, order);
  }
  const index = indexOf(order, size);
  const loops = loopNest(edges, order, index);
  const number = new Int32Array(size);
  const resume: ResumeEdge[][] = Array.from({ length: size }, () => []);
  let next = 1;
  const visit = (node: number, above: number): void => {
    const low = next++;
    number[node] = low;
    for (const inner of loops.inner.get(node) ?? []) visit(inner, node);
    resume[above]!.push({ node, low, high: next - 1 });
    if (!edges[above]!.includes(node)) edges[above]!.push(node);
  };
  for (const node of loops.outermost) visit(node, ENTRY_NODE);
  for (const node of cutTargets) if (number[node] === 0) visit(node, ENTRY_NODE);
  order = reversePostOrder(edges);
  idom = dominatorsOf(edges, order);
  const children: number[][] = Array.from({ length: size }, () => []);
  for (const node of order) if (node !== ENTRY_NODE) children[idom[node]!]!.push(node);
  return { index: indexOf(order, size), children, header: loops.header, resume, number, greatest: next - 1, cut, size };
}

function reversePostOrder(edges: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const seen = new Uint8Array(edges.length);
  const stack: { node: number; at: number }[] = [{ node: ENTRY_NODE, at: 0 }];
  seen[ENTRY_NODE] = 1;
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const next = edges[top.node]![top.at++];
    if (next === undefined) {
      order.push(top.node);
      stack.pop();
    } else if (seen[next] === 0) {
      seen[next] = 1;
      stack.push({ node: next, at: 0 });
    }
  }
  return order.toReversed();
}

function indexOf(order: readonly number[], size: number): Int32Array {
  const index = new Int32Array(size).fill(-1);
  order.forEach((node, i) => (index[node] = i));
  return index;
}

/** By node: its immediate dominator. */
function dominatorsOf(edges: readonly (readonly number[])[], order: readonly number[]): Int32Array {
  const index = indexOf(order, edges.length);
  const idom = new Int32Array(edges.length).fill(-1);
  const predecessors: number[][] = edges.map(() => []);
  for (const node of order) for (const to of edges[node]!) predecessors[to]!.push(node);
  idom[ENTRY_NODE] = ENTRY_NODE;
  for (let changed = true; changed;) {
    changed = false;
    for (const node of order) {
      if (node === ENTRY_NODE) continue;
      let meet = -1;
      for (const p of predecessors[node]!) {
        if (idom[p]! < 0) continue;
        if (meet < 0) {
          meet = p;
          continue;
        }
        let other = p;
        while (meet !== other) {
          while (index[meet]! > index[other]!) meet = idom[meet]!;
          while (index[other]! > index[meet]!) other = idom[other]!;
        }
      }
      if (idom[node] !== meet) {
        idom[node] = meet;
        changed = true;
      }
    }
  }
  return idom;
}

/** Edges that go back to a node which does not dominate their start. */
function irreducible(
  edges: readonly (readonly number[])[],
  order: readonly number[],
  idom: Int32Array,
): [number, number][] {
  const index = indexOf(order, edges.length);
  const out: [number, number][] = [];
  for (const from of order) {
    for (const to of edges[from]!) {
      if (index[to]! > index[from]!) continue;
      let node = from;
      while (index[node]! > index[to]!) node = idom[node]!;
      if (node !== to) out.push([from, to]);
    }
  }
  return out;
}

/** A loop without loops in it. */
export interface InnermostLoop {
  readonly header: number;
  /** The header among them. */
  readonly body: readonly number[];
}

/** The innermost loops of a graph as {@link shapeOf} takes it; none of one that is irreducible. */
export function innermostLoops(successors: readonly (readonly number[])[], head: number): InnermostLoop[] {
  const edges = edgesFrom(successors, head);
  const order = reversePostOrder(edges);
  if (irreducible(edges, order, dominatorsOf(edges, order)).length > 0) return [];
  const { inner, bodies } = loopNest(edges, order, indexOf(order, edges.length));
  return [...bodies].filter(([header]) => !inner.has(header)).map(([header, body]) => ({ header, body: [...body] }));
}

interface LoopNest {
  readonly bodies: ReadonlyMap<number, ReadonlySet<number>>;
  readonly header: Uint8Array;
  readonly outermost: readonly number[];
  readonly inner: ReadonlyMap<number, readonly number[]>;
}

/** Natural loops of a reducible graph, and which lies directly in which. */
function loopNest(edges: readonly (readonly number[])[], order: readonly number[], index: Int32Array): LoopNest {
  const header = new Uint8Array(edges.length);
  const predecessors: number[][] = edges.map(() => []);
  for (const node of order) for (const to of edges[node]!) predecessors[to]!.push(node);
  const bodies = new Map<number, Set<number>>();
  for (const node of order) {
    const latches = predecessors[node]!.filter((p) => index[p]! >= index[node]!);
    if (latches.length === 0) continue;
    header[node] = 1;
    const body = new Set([node]);
    while (latches.length > 0) {
      const n = latches.pop()!;
      if (body.has(n)) continue;
      body.add(n);
      latches.push(...predecessors[n]!);
    }
    bodies.set(node, body);
  }
  const inner = new Map<number, number[]>();
  const outermost: number[] = [];
  for (const node of bodies.keys()) {
    let parent = -1;
    for (const [other, body] of bodies) {
      if (other === node || !body.has(node)) continue;
      if (parent < 0 || body.size < bodies.get(parent)!.size) parent = other;
    }
    if (parent < 0) outermost.push(node);
    else inner.set(parent, [...(inner.get(parent) ?? []), node]);
  }
  return { bodies, header, outermost, inner };
}
