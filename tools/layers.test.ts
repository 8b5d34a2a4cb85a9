import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { checkLayers, importsOf } from "./layers.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

it("finds nothing wrong in this workspace", () => {
  const { files, violations } = checkLayers(here(".."));
  expect(violations).toEqual([]);
  expect(files).toBeGreaterThan(100);
});

it("finds every mistake of the canary", () => {
  const { violations } = checkLayers(here("canary/layers"));
  expect(violations.map((v) => v.replace(/^packages\//, "").replaceAll(/ \([^)]*\)/g, ""))).toEqual([
    "bus-a/src/index.ts:1: bus-a imports @mimus/dev-a; a package imports from lower layers only",
    "cli/src/index.ts:2: cli imports @mimus/hw-x; the command finds parts by their manifests",
    "cli/src/index.ts:3: cli imports @mimus-example/dev-lcd; plugins are found, never imported",
    "cli/src/index.ts:5: '@mimus/ghost' is not a package of this workspace",
    "dev-a/src/host.ts:1: dev-a imports 'node:fs'; below the hosts nothing knows Node",
    "dev-a/src/host.ts:2: dev-a imports 'os'; below the hosts nothing knows Node",
    "dev-a/src/suite.ts:1: dev-a imports @mimus/testkit; only tests do",
    "dev-b/src/index.ts:1: dev-b imports its sibling @mimus/dev-a; move what both need to a lower layer",
    "dev-b/src/index.ts:2: '@mimus/qom/src/index.ts' reaches into @mimus/qom; import what it exports",
    "dev-b/src/index.ts:4: '../../qom/src/index.ts' leaves the package; import the other package by its name",
    "dev-b/src/peer.ts:1: '@mimus/qom' must be a peer dependency of @mimus/dev-b, so that one copy exists",
    "dev-b/src/peer.ts:2: 'zod' is not among the dependencies of @mimus/dev-b",
    "hw-x/src/index.ts:2: hw-x imports @mimus/target-t; a board names its CPU by QOM type name",
    "misc: 'misc' belongs to no layer; name it after one or add it to tools/layers.ts",
    'target-t/package.json: "sideEffects" must be false',
    'target-t/tsconfig.json: a package below the hosts extends tsconfig.core.json and sets no "lib" or "types"',
  ]);
});

it("ends with an exit code, also when it sees nothing", () => {
  const run = (root: string): number | null => spawnSync(process.execPath, [here("layers.ts"), root]).status;
  expect(run(here("canary/layers"))).toBe(1);
  expect(run(here("canary"))).toBe(1);
});

it("reads imports in all their forms", () => {
  const source = [
    'import a from "a";import b from "b";',
    'import type { C } from "c";',
    "import {",
    "  d,",
    "} from 'd';",
    'export * from "e";',
    'import "f";',
    'const g = await import("g");',
    '// import "no";',
    '/* import "no"; */',
    "export const h = { from: 'no' };",
  ].join("\n");
  expect(importsOf(source).map((i) => `${i.specifier}:${i.line}`)).toEqual("a:1 b:1 c:2 d:5 e:6 f:7 g:8".split(" "));
});
