import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "../packages/qom/src/index.ts";
import { checkManifest } from "../packages/testkit/src/index.ts";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

describe("packages with a manifest promise what they export", () => {
  const found: string[] = [];
  for (const file of globSync(["packages/*/package.json", "plugins/*/package.json"], { cwd: root }).toSorted()) {
    const json = JSON.parse(readFileSync(join(root, file), "utf8")) as { mimus?: unknown };
    if (json.mimus === undefined) continue;
    found.push(file);
    it(dirname(file), async () => {
      const { default: plugin } = (await import(join(root, dirname(file), "src/index.ts"))) as { default: Plugin };
      expect(checkManifest(json, plugin)).toEqual([]);
    });
  }

  it("sees some", () => {
    expect(found).toContain("plugins/dev-lcd/package.json");
  });
});
