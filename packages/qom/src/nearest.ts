import { either } from "./complaint.ts";

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`, or `limit + 1` when there are more. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** Up to three of `candidates` that `name` may have meant, best first: few edits away, or the same beginning or part. */
export function nearest(name: string, candidates: Iterable<string>): string[] {
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(name.length / 3));
  const scored: { candidate: string; score: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const other = candidate.toLowerCase();
    const distance = editDistance(wanted, other, limit);
    if (distance <= limit) scored.push({ candidate, score: distance });
    else if (wanted.length >= 3 && (other.startsWith(wanted) || (other.length >= 3 && wanted.startsWith(other))))
      scored.push({ candidate, score: limit + 1 });
    else if (wanted.length >= 4 && other.includes(wanted)) scored.push({ candidate, score: limit + 2 });
  }
  scored.sort((x, y) => x.score - y.score || (x.candidate < y.candidate ? -1 : 1));
  return scored.slice(0, 3).map((s) => s.candidate);
}

/** `"; did you mean 'a' or 'b'?"`, or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates).map((n) => `'${n}'`);
  return near.length === 0 ? "" : `; did you mean ${either(near)}?`;
}
