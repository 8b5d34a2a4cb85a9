import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What a reader of a snippet has already: the rest stands in the snippet, with its imports. */
const GIVEN = `
import type { BlockGraph, Jobs } from "@mimus/block";
import type { CharHost } from "@mimus/chardev";
import type { Device, Machine } from "@mimus/machine-core";
import type { Registry } from "@mimus/qom";
import type { SystemHost } from "@mimus/system";

declare global {
  const registry: Registry;
  const machine: Machine;
  const graph: BlockGraph;
  const jobs: Jobs;
  const host: SystemHost & CharHost;
  /** Files, as bytes. */
  const bios: Uint8Array;
  const kernel: Uint8Array;
  const initrd: Uint8Array;
  const bytes: Uint8Array;
  /** Devices that the machine has. */
  const plic: Device;
  const uart: Device;
  /** A processor: its inputs by number. */
  const cpu: { setIrq(line: number, level: boolean): void };
}
`;

/** The package of somebody who reads: what its own tests import. */
const OWN: Readonly<Record<string, string>> = {
  "package.json": '{ "name": "@acme/mimus-lcd", "type": "module" }',
  "src/index.ts": `
import type { DeviceType } from "@mimus/machine-core";
import type { Plugin } from "@mimus/qom";
export declare const acmeLcd: DeviceType;
declare const plugin: Plugin;
export default plugin;
`,
};

/** Pages whose snippets are files of a package of their own, which another test makes. */
const ELSEWHERE = new Set(["docs/write-a-device.md"]);

/** Every TypeScript snippet for users, by a name that says where it stands. */
function snippets(): Map<string, string> {
  const pages = globSync(["*.md", "docs/*.md", "packages/*/README.md"], { cwd: root }).toSorted();
  const found = new Map<string, string>();
  for (const page of pages.filter((path) => !ELSEWHERE.has(path)))
    [...readFileSync(join(root, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)].forEach(([, code = ""], i) =>
      found.set(`${page.replaceAll("/", "_").replace(/\.md$/, "")}-${i + 1}.ts`, `${code}\nexport {};\n`),
    );
  return found;
}

/** The sources behind the specifiers of all packages: snippets may use packages that theirs does not depend on. */
function sources(): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const file of globSync("packages/*/package.json", { cwd: root })) {
    const { name, exports } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
      name: string;
      exports: Record<string, string | Record<string, string>>;
    };
    for (const [path, target] of Object.entries(exports))
      if (typeof target !== "string")
        found[name + path.slice(1)] = [join(root, dirname(file), target["@mimus/source"] ?? "")];
  }
  return found;
}

it("snippets of READMEs and pages compile", () => {
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const dir = mkdtempSync(join(cache, "readme-"));
  try {
    const codes = snippets();
    expect(codes.size).toBeGreaterThan(50);
    mkdirSync(join(dir, "src"));
    for (const [name, text] of Object.entries({ ...OWN, "src/given.d.ts": GIVEN }))
      writeFileSync(join(dir, name), text);
    for (const [name, code] of codes) writeFileSync(join(dir, "src", name), code);
    const compilerOptions = {
      composite: false,
      declaration: false,
      emitDeclarationOnly: false,
      isolatedDeclarations: false,
      rewriteRelativeImportExtensions: false,
      allowImportingTsExtensions: true,
      noEmit: true,
      resolveJsonModule: true,
      lib: ["ESNext", "DOM", "DOM.Iterable"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
      paths: sources(),
    };
    const config = { extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["src"] };
    writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(config));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", dir, "--pretty", "false"],
      { encoding: "utf8", cwd: dir },
    );
    expect(stderr).toBe("");
    // A mistake in a source is another check's matter.
    expect(stdout.split("\n").filter((line) => /^src\/[\w.-]+\(\d/.test(line))).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
