import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const HEADINGS = ["What", "Use", "Design", "Modelled / Not modelled", "Sources"];
/** Packages whose first snippet under "Use" runs by itself. */
const RUNS = ["packages/bits", "packages/qom", "packages/machine-core", "packages/tcg"];

describe("READMEs", () => {
  for (const dir of RUNS)
    it(`${dir}: the snippet runs and says the truth`, async () => {
      const text = readFileSync(join(root, dir, "README.md"), "utf8");
      const snippet = /```ts\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
      const claims = /^(?!const|import)(.+); \/\/ (.+)$/gm;
      const code = snippet.replaceAll(claims, "claims.push([$1, $2]);");
      const file = join(root, dir, "node_modules/.cache/readme.ts");
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `export const claims: [unknown, unknown][] = [];\n${code}`);
      const { claims: found } = (await import(file)) as { claims: [unknown, unknown][] };
      expect(found.length).toBeGreaterThan(0);
      for (const [is, should] of found) expect(is).toEqual(should);
    });

  for (const dir of RUNS)
    it(`${dir}: has the headings that every package has`, () => {
      expect(existsSync(join(root, dir, "README.md"))).toBe(true);
      const headings = [...readFileSync(join(root, dir, "README.md"), "utf8").matchAll(/^## (.+)$/gm)].map((m) => m[1]);
      for (const heading of HEADINGS) expect(headings).toContain(heading);
    });
});

it("sees the packages", () => {
  expect(globSync("packages/*/package.json", { cwd: root }).length).toBeGreaterThan(20);
});
