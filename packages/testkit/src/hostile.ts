/** Values that a saved state may hold instead of a good one. */
const BAD: readonly unknown[] = [
  null,
  -1,
  0.5,
  Number.NaN,
  2 ** 32,
  2 ** 53,
  1e308,
  "x".repeat(100),
  true,
  [],
  {},
  Array.from({ length: 5000 }, () => 255),
  new Uint8Array(3),
];

/** Wrong variants of a saved state: whole, each field replaced, each field missing, a field too many. */
export function* hostileStates(good: unknown, depth = 3): Generator<unknown, void, undefined> {
  yield* BAD;
  if (typeof good !== "object" || good === null || depth === 0) return;
  if (good instanceof Uint8Array) {
    yield new Uint8Array(good.length + 1);
    yield new Uint8Array(0);
    return;
  }
  if (Array.isArray(good)) {
    yield [...(good as unknown[]), ...(good as unknown[]), null];
    if (good.length > 0) for (const inner of hostileStates(good[0], depth - 1)) yield [inner, ...good.slice(1)];
    return;
  }
  yield { ...good, fieldThatNobodyKnows: 1 };
  for (const [key, value] of Object.entries(good)) {
    const { [key]: _, ...rest } = good as Record<string, unknown>;
    yield rest;
    for (const inner of hostileStates(value, depth - 1)) yield { ...good, [key]: inner };
  }
}
