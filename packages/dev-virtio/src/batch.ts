/**
 * Collects calls and makes each once when the current turn of the event loop's promise jobs ends: several completions
 * become one interrupt.
 */
export function batch<T>(act: (item: T) => void): (item: T) => void {
  const waiting: Set<T> = new Set();
  const run = (): void => {
    const items = [...waiting];
    waiting.clear();
    for (const item of items) act(item);
  };
  return (item) => {
    if (waiting.size === 0) void Promise.resolve().then(run);
    waiting.add(item);
  };
}
