import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fill, listings } from "./listings.ts";

const few = new Map([
  ["one", "1"],
  ["two", "2\n22"],
]);

it("each listing takes the place of the old one, and nothing else changes", () => {
  const page = "before\n<!-- listing two -->\nold\n<!-- end -->\nbetween\n<!-- listing one -->\n<!-- end -->\nafter\n";
  const filled = fill(page, few);
  expect(filled).toBe(
    "before\n<!-- listing two -->\n\n```text\n2\n22\n```\n\n<!-- end -->\nbetween\n" +
      "<!-- listing one -->\n\n```text\n1\n```\n\n<!-- end -->\nafter\n",
  );
  expect(fill(filled, few)).toBe(filled);
});

it("a page with a listing too few or too many is refused", () => {
  expect(() => fill("", few)).toThrow("does not show one, two");
  expect(() => fill("<!-- listing three --><!-- end -->", few)).toThrow("no listing 'three'; there are one, two");
});

it("the page shows a loop, a call and where faults leave", () => {
  const page = fill(readFileSync(join(import.meta.dirname, "../../docs/translator.md"), "utf8"), listings());
  for (const text of ["(loop $loop.1010", "(call_indirect (type $t0)", ";; faults"]) expect(page).toContain(text);
}, 60_000);
