import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { irReference, writeReference } from "./gen-ir-docs.ts";

it("docs/reference/ir.md is what the table says", () => {
  expect(writeReference(join(import.meta.dirname, "../docs/reference/ir.md"), true)).toBe(true);
});

it("a stale page is noticed", () => {
  const path = join(mkdtempSync(join(tmpdir(), "mimus-ir-")), "ir.md");
  expect(writeReference(path, true)).toBe(false);
  writeFileSync(path, irReference().replace("wrapping", "trapping"));
  expect(writeReference(path, true)).toBe(false);
  writeReference(path, false);
  expect(writeReference(path, true)).toBe(true);
});
