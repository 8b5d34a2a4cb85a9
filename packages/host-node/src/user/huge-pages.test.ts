import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { expect, it } from "vitest";

import { adviseHugePages } from "./huge-pages.ts";

const here = process.platform === "linux" && hasKoffi();

it.skipIf(!here)("marks the memory for large pages (needs koffi and Linux)", () => {
  const { buffer } = new WebAssembly.Memory({ initial: 1024, maximum: 1024 });
  const marked = (): number => [...readFileSync("/proc/self/smaps", "latin1").matchAll(/^VmFlags:.* hg\b/gm)].length;
  const before = marked();
  expect(adviseHugePages(buffer)).toBe(true);
  expect(marked()).toBeGreaterThan(before);
});

function hasKoffi(): boolean {
  try {
    createRequire(import.meta.url)("koffi");
    return true;
  } catch {
    return false;
  }
}
