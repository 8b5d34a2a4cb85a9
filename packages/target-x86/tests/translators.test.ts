import { expect, it } from "vitest";
import { ALL_ROWS } from "../src/decode/index.ts";
import { TRANSLATORS } from "../src/translate/index.ts";

it("every row of the encoding tables has a translator", () => {
  expect(ALL_ROWS.filter(({ name }) => TRANSLATORS[name] === undefined).map(({ name }) => name)).toEqual([]);
});
