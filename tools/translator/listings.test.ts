import { join } from "node:path";
import { expect, it } from "vitest";
import { fill, listings, translatorPage } from "./listings.ts";

const markers = (names: Iterable<string>): string =>
  [...names].map((name) => `<!-- listing ${name} -->\nold\n<!-- end -->\n`).join("");

it("each listing takes the place of the old one, and nothing else changes", () => {
  const all = listings();
  const page = fill(`before\n${markers(all.keys())}after\n`);
  expect(page).not.toContain("old");
  expect(page.startsWith("before\n<!-- listing ")).toBe(true);
  expect(page.endsWith("<!-- end -->\nafter\n")).toBe(true);
  expect(fill(page)).toBe(page);
});

it("a page with a listing too few or too many is refused", () => {
  expect(() => fill("")).toThrow(/does not show program, in_asm/);
  expect(() => fill(markers([...listings().keys(), "nonsense"]))).toThrow(/no listing 'nonsense'/);
});

it("the page shows a loop, a call and what a region leaves by", () => {
  const page = translatorPage(join(import.meta.dirname, "../.."));
  for (const text of ["(loop $loop.1010", "(call_indirect (type $t0)", ";; faults"]) expect(page).toContain(text);
});
