import { type BlockNode, chainStatus } from "@mimus/block";

/** What a part of the disk is made of; a cell of the picture shows the one that most of it is. */
export const KINDS = ["nothing", "zero", "below", "data", "compressed"] as const;
export type Kind = (typeof KINDS)[number];

/** Words and colours for the legend. */
export const LEGEND: Readonly<
  Record<Kind, { readonly text: string; readonly colour: readonly [number, number, number] }>
> = {
  nothing: { text: "not allocated", colour: [236, 236, 236] },
  zero: { text: "zeroes", colour: [176, 196, 222] },
  below: { text: "in an image below", colour: [244, 164, 96] },
  data: { text: "data", colour: [34, 102, 170] },
  compressed: { text: "compressed data", colour: [120, 60, 140] },
};

/** The whole disk as cells: bytes of each kind, and their sums. */
export interface Allocation {
  /** Kind of each cell. */
  readonly cells: Uint8Array;
  readonly cellBytes: number;
  readonly bytes: Readonly<Record<Kind, number>>;
  /** Ranges looked at. */
  readonly extents: number;
}

/** Looks at every range of the disk; `progress` may stop it by returning false. */
export async function allocationOf(
  node: BlockNode,
  cells: number,
  progress: (share: number) => boolean | Promise<boolean>,
): Promise<Allocation> {
  const cellBytes = Math.max(512, Math.ceil(node.size / cells / 512) * 512);
  const weights = new Float64Array(cells * KINDS.length);
  const bytes: Record<Kind, number> = { nothing: 0, zero: 0, below: 0, data: 0, compressed: 0 };
  let extents = 0;
  for (let at = 0; at < node.size;) {
    const { kind, length } = await kindAt(node, at);
    bytes[kind] += length;
    spread(weights, KINDS.indexOf(kind), at, length, cellBytes);
    at += length;
    if (++extents % 4096 === 0 && !(await progress(at / node.size))) break;
  }
  return { cells: strongest(weights, Math.ceil(node.size / cellBytes)), cellBytes, bytes, extents };
}

/** Kind of the range at `at`, and how far it goes; images below are asked what this one leaves open. */
async function kindAt(node: BlockNode, at: number): Promise<{ kind: Kind; length: number }> {
  const { length, depth, present, zero, compressed } = await chainStatus(node, at, node.size - at);
  if (!present) return { kind: "nothing", length };
  if (compressed && depth === 0) return { kind: "compressed", length };
  return { kind: zero ? "zero" : depth === 0 ? "data" : "below", length };
}

function spread(weights: Float64Array, kind: number, at: number, length: number, cellBytes: number): void {
  const end = at + length;
  for (let cell = Math.floor(at / cellBytes); cell * cellBytes < end; cell++) {
    const share = Math.min(end, (cell + 1) * cellBytes) - Math.max(at, cell * cellBytes);
    const index = cell * KINDS.length + kind;
    if (index < weights.length) weights[index] = (weights[index] ?? 0) + share;
  }
}

/** Of each cell the kind with the most bytes; a little data shows more than much of nothing. */
function strongest(weights: Float64Array, cells: number): Uint8Array {
  const out = new Uint8Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    let best = 0;
    let most = 0;
    for (let kind = 0; kind < KINDS.length; kind++) {
      const weight = (weights[cell * KINDS.length + kind] ?? 0) * (kind === 0 ? 0.1 : 1);
      if (weight > most) [best, most] = [kind, weight];
    }
    out[cell] = best;
  }
  return out;
}

/** The cells as RGBA, row by row; what lies beyond the disk is transparent. */
export function picture(allocation: Allocation, width: number, height: number): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(width * height * 4);
  allocation.cells.forEach((kind, cell) => {
    const [r, g, b] = LEGEND[KINDS[kind] ?? "nothing"].colour;
    out.set([r, g, b, 255], cell * 4);
  });
  return out;
}
