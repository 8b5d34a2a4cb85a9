/** Looks of which the closest is taken. */
const LOOKS = 50;

/** What this thread's `performance.now()`, in ns, is behind the system's monotonic clock, which all threads share. */
export function clockOrigin(): number {
  let best = Infinity;
  let origin = 0;
  for (let n = 0; n < LOOKS; n++) {
    const before = process.hrtime.bigint();
    const mine = performance.now() * 1e6;
    const after = process.hrtime.bigint();
    const width = Number(after - before);
    if (width >= best) continue;
    best = width;
    origin = Number(before) + width / 2 - mine;
  }
  return origin;
}
