import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type ApiReference, apiReference } from "./reference.ts";

const manifest = (name: string, description: string, entries: Record<string, string>): string =>
  JSON.stringify({
    name: `@mimus/${name}`,
    description,
    exports: {
      ...Object.fromEntries(Object.entries(entries).map(([path, file]) => [path, { "@mimus/source": file }])),
      "./package.json": "./package.json",
    },
  });

const FILES: Readonly<Record<string, string>> = {
  "packages/block/package.json": manifest("block", "Disks", { ".": "./src/index.ts" }),
  "packages/block/src/index.ts": `export { Disk, type Size } from "./disk.ts";
export * from "./parts.ts";
`,
  "packages/block/src/disk.ts": `/** Bytes. */
export type Size = number;

/** What has a size. */
export interface Sized {
  /** Of the whole. */
  size(): Size;
  close(): void;
}

class Hidden {
  static origin = "";
  /** What people call it. */
  label = "";
  size(): number {
    return 0;
  }
}

/** A disk, see {@link Size}. @throws Error when it is gone */
export class Disk extends Hidden implements Sized {
  readonly #bytes: Uint8Array;
  /** How many of them there are. */
  static count = 0;
  private readonly secret = 1;
  constructor(bytes: Uint8Array) {
    super();
    this.#bytes = bytes;
  }
  override size(): Size {
    return this.#bytes.length + this.secret;
  }
  close(): void {}
}
`,
  "packages/block/src/parts.ts": `import type { Size } from "./disk.ts";
/** Of numbers. */
export function half(of: number): Size;
/** Of text. */
export function half(of: string): Size;
export function half(of: number | string): Size {
  return Number(of) / 2;
}
export const silent: Size = 1;
/** @internal */
export const hidden = 2;
interface Place {
  readonly at: number;
}
/** @internal */
export interface Inner {
  readonly size: Size;
}
/** Parts of a disk. */
export class Parts {
  private readonly last: Place | undefined;
  readonly #first: Place | undefined;
  /** @internal */
  inner(): Inner | undefined {
    return this.#first ?? this.last ? { size: 1 } : undefined;
  }
}
/** What is found. */
export interface Found {
  /** How many. */
  readonly count: number;
  /** @internal */
  readonly secret: Place;
  /** Where. */
  readonly place: Place;
}
/** Looks for it. */
export function find(size: Size): Found | Inner | undefined {
  return undefined;
}
`,
  "packages/tcg/package.json": manifest("tcg", "Words", { ".": "./src/index.ts", "./more": "./src/more.ts" }),
  "packages/tcg/src/index.ts": `/** A word. */
export const WORD = "a";
export const unsaid = "b";
`,
  "packages/tcg/src/more.ts": `export { WORD } from "./index.ts";
/** {@link WORD}, doubled. */
export function twice(): string {
  return "aa";
}
`,
};

describe("the pages on what packages export", () => {
  let root: string;
  let reference: ApiReference;
  const page = (name: string): string => new Map(reference.pages).get(`docs/reference/api/${name}.md`) ?? "";

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "mimus-api-test-"));
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    mkdirSync(join(root, "node_modules/@types"), { recursive: true });
    mkdirSync(join(root, "node_modules/@types/node"));
    writeFileSync(join(root, "node_modules/@types/node/index.d.ts"), "");
    reference = apiReference(root);
  }, 60_000);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("show a class without what is private, with what it has from a class that is not exported, and link its docstring", () => {
    expect(page("block")).toContain(`### Disk

A disk, see [Size](#size).

- Throws Error when it is gone

\`\`\`ts
class Disk extends Hidden implements Sized {
  /** How many of them there are. */
  static count: number;
  constructor(bytes: Uint8Array);
  size(): Size;
  close(): void;
  // of Hidden:
  /** What people call it. */
  label: string;
}
\`\`\`

See [Size](#size).
`);
  });

  it("show every signature of a function under its name", () => {
    expect(page("block")).toContain(`### half

Of numbers.

\`\`\`ts
function half(of: number): Size;
/** Of text. */
function half(of: string): Size;
\`\`\`
`);
  });

  it("leave out what is internal", () => {
    expect(page("block")).not.toContain("hidden");
  });

  it("show what two entries export once", () => {
    expect(page("tcg").split("### WORD").length).toBe(2);
    expect(page("tcg")).toContain("[WORD](#word), doubled.");
    expect(page("tcg")).toContain("It also exports [WORD](#word).");
  });

  it("show an interface without its internal members", () => {
    expect(page("block")).toContain(`interface Found {
  /** How many. */
  readonly count: number;
  /** Where. */
  readonly place: Place;
}
`);
  });

  it("say which exports name a type that nobody can import, and leave private and internal members alone", () => {
    expect(reference.unnamed).toEqual([
      "block: Disk names Hidden",
      "block: Disk names Sized",
      "block: find names Inner",
      "block: Found names Place",
    ]);
  });

  it("are listed by layer", () => {
    expect(page("README")).toContain("## Core\n");
    expect(page("README")).toContain("| [@mimus/tcg](tcg.md) | Words |");
  });

  it("say which exports have no docstring, and how many members", () => {
    expect(reference.missing).toEqual(["block: silent", "tcg: unsaid"]);
    expect(reference.silentMembers).toBe(1);
  });
});
