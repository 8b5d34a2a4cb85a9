/** Node only: reads a file. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { PARAMETERS } from "../src/options.ts";

test("the README lists the parameters that there are", () => {
  const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)].map((m) => [m[1], m[2]]);
  expect(Object.fromEntries(rows)).toEqual(PARAMETERS);
});
