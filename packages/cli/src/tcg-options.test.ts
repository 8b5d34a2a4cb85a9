import { expect, test } from "vitest";

import { tcgOptions } from "./tcg-options.ts";

test("each parameter reaches the engine", () => {
  expect(tcgOptions({ backend: "region", "tb-size": "8", threshold: "100", "code-cap": "16", stress: "7" })).toEqual({
    backend: "region",
    tbSize: 8 * 2 ** 20,
    region: { threshold: 100, codeCap: 16 * 2 ** 20, stress: 7 },
  });
  expect(tcgOptions({})).toEqual({});
});

test.each([
  [{ backend: "jit" }, /backend=jit: there are: auto, interp, wasm, region/],
  [{ treshold: "5" }, /invalid parameter 'treshold' \(known: .*threshold/],
  [{ threshold: "many" }, /threshold=many: expected a whole number/],
  [{ thread: "many" }, /thread=many: there are: single, multi/],
])("%o is refused", (values, message) => expect(() => tcgOptions(values)).toThrow(message));
