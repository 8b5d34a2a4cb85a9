import { expect, it } from "vitest";
import { VectorSet } from "./vectors.ts";

it("knows its highest vector, whatever was added, removed and loaded", () => {
  let state = 5;
  const random = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  let set = new VectorSet();
  const model = new Set<number>();
  for (let turn = 0; turn < 3000; turn++) {
    const vector = random(4) === 0 ? random(8) * 32 + 31 : random(256);
    if (random(2) === 0) {
      set.add(vector);
      model.add(vector);
    } else {
      set.remove(vector);
      model.delete(vector);
    }
    if (turn % 100 === 50) {
      const words = [...set.words];
      set = new VectorSet();
      set.add(random(256));
      set.load(words);
    }
    if (turn % 1000 === 999) {
      set.clear();
      model.clear();
    }
    expect(set.highest()).toBe(Math.max(-1, ...model));
    expect(set.has(vector)).toBe(model.has(vector));
  }
});
