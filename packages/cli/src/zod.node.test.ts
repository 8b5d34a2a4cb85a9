import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { z } from "./zod.ts";

const packages = join(import.meta.dirname, "../..");
const sources = globSync("*/src/**/*.ts", { cwd: packages })
  .filter((path) => !/\.test\.ts$|^(?:web|testkit)\/|zod\.ts$/.test(path))
  .map((path) => readFileSync(join(packages, path), "utf8"))
  .filter((text) => /^import (?!type ).*from "zod"/m.test(text));
const all = (pattern: RegExp): string[] =>
  sources.flatMap((text) => [...text.matchAll(pattern)].map(([found]) => found));

describe("zod.ts, which stands in for zod in built commands", () => {
  it("has all that packages import", () => {
    const others = all(/^import (?!type ).*from "zod"/gm);
    expect(others.length).toBeGreaterThan(50);
    expect(others.filter((text) => !/import \{ (?:type \w+, )?(?:z|config) \} from "zod"/.test(text))).toEqual([]);
  });

  it("holds what schemas are made of", () => {
    // JSON schemas are made for a user who asks for help.
    const known = new Set([...Object.keys(z), "toJSONSchema", "core"]);
    const used = new Set(all(/(?<=\bz\.)[a-z]\w*(?=[(.])/g));
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
  });
});
