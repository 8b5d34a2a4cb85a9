import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Packages whose first snippet under "Use" runs by itself and says in comments what it gives. */
const CLAIMS = ["bits", "decodetree", "machine-core", "qom", "tcg"];
/** Packages whose first snippet under "Use" runs by itself. */
const RUNS = [
  "block",
  "crypto",
  "guest-riscv",
  "softfloat",
  ...["cow", "luks", "parallels", "qcow", "qcow2", "qed", "vdi", "vhdx", "vmdk", "vpc"].map((f) => `block-${f}`),
];
const PACKAGES: readonly string[] = globSync("packages/*/package.json", { cwd: root }).map(dirname).toSorted();
const PAGES: readonly string[] = globSync(
  ["*.md", "docs/**/*.md", "conformance/**/*.md", "{packages,plugins}/*/README.md"],
  {
    cwd: root,
    exclude: ["**/node_modules/**"],
  },
).toSorted();
/** Folders that are made, and may not be there yet. */
const MADE = /(^|\/)(dist|generated)(\/|$)/;

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Runs the first snippet of a package's README, as a module of that package; answers what it exports. */
async function runSnippet(dir: string, edit: (code: string) => string = (code) => code): Promise<unknown> {
  const snippet = /```ts\n([\s\S]*?)```/.exec(read(`${dir}/README.md`))?.[1] ?? "";
  const file = join(root, dir, "node_modules/.cache/readme.ts");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, edit(snippet));
  return import(file);
}

describe("READMEs", () => {
  for (const name of CLAIMS)
    it(`${name}: the snippet runs and says the truth`, async () => {
      const claims = /^(?!const|import)(.+); \/\/ (.+)$/gm;
      const module = await runSnippet(
        `packages/${name}`,
        (code) =>
          `export const claims: [unknown, unknown][] = [];\n${code.replaceAll(claims, "claims.push([$1, $2]);")}`,
      );
      const { claims: found } = module as { claims: [unknown, unknown][] };
      expect(found.length).toBeGreaterThan(0);
      for (const [is, should] of found) expect(is).toEqual(should);
    });

  for (const name of RUNS)
    it(`${name}: the snippet runs`, async () => {
      await expect(runSnippet(`packages/${name}`)).resolves.toBeDefined();
    });

  it("name the page of what the package exports", () => {
    for (const dir of PACKAGES) {
      const page = `docs/reference/api/${basename(dir)}.md`;
      if (existsSync(join(root, page)))
        expect(read(`${dir}/README.md`), dir).toContain(`\`${page}\` of the repository`);
    }
  });

  it("link to nothing outside the package, where a link leads nowhere once it is packed", () => {
    const outside = PAGES.filter((page) => /^(packages|plugins)\//.test(page)).flatMap((page) =>
      [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .filter(([, link = ""]) => posix.normalize(link).startsWith(".."))
        .map(([, link]) => `${page}: ${link}`),
    );
    expect(outside).toEqual([]);
  });

  it("of every package have the same headings", () => {
    expect(PACKAGES.length).toBeGreaterThan(20);
    for (const dir of PACKAGES) {
      const headings = [...read(`${dir}/README.md`).matchAll(/^## (.+)$/gm)].map((m) => m[1]).join(", ");
      expect(headings, dir).toMatch(
        /^What, Use, (.+, )?Design, (Modelled \/ |Modelled, )Not modelled, (Threats, )?Sources$/,
      );
    }
  });
});

describe("pages", () => {
  it("name files that exist", () => {
    const files = globSync(["*", "{conformance,docs,packages,plugins,tools}/**/*.*"], {
      cwd: root,
      exclude: ["**/node_modules/**", "**/dist/**"],
    });
    const missing: string[] = [];
    for (const page of PAGES)
      for (const [, path = ""] of prose(page).matchAll(/`((?:[\w@.-]+\/)*[\w@.-]+\.(?:ts|md|js|sh|S))`/g))
        if (
          !MADE.test(path) &&
          !files.some((file) => file === path || file.endsWith(`/${path}`) || inSource(file, path))
        )
          missing.push(`${page}: ${path}`);
    expect(missing).toEqual([]);
  });

  it("can be reached from the first one", () => {
    const reached = new Set<string>();
    const visit = (page: string): void => {
      if (reached.has(page) || !PAGES.includes(page)) return;
      reached.add(page);
      for (const [, link = ""] of prose(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)) {
        const path = posix.join(posix.dirname(page), link);
        for (const one of [path, posix.join(path, "README.md")]) visit(one);
      }
    };
    visit("README.md");
    expect(PAGES.filter((page) => !reached.has(page))).toEqual([]);
  });

  it("link to headings that exist", () => {
    const known = new Map(PAGES.map((page) => [page, anchors(page)]));
    const broken: string[] = [];
    for (const page of PAGES)
      for (const [, link = "", anchor = ""] of prose(page).matchAll(/\]\(([^)#:\s]*)#([^)\s]+)\)/g)) {
        const target = link === "" ? page : posix.join(posix.dirname(page), link);
        if (known.get(target)?.has(anchor) !== true) broken.push(`${page}: ${link}#${anchor}`);
      }
    expect(broken).toEqual([]);
  });

  it("link to files that exist", () => {
    const broken: string[] = [];
    for (const page of PAGES)
      for (const [, link = ""] of prose(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g))
        if (!existsSync(join(root, dirname(page), link))) broken.push(`${page}: ${link}`);
    expect(broken).toEqual([]);
  });
});

/** What follows # in links to the headings of a page, as GitHub names them. */
function anchors(page: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ""] of prose(page).matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-");
    let name = slug;
    for (let n = 1; found.has(name); n++) name = `${slug}-${n}`;
    found.add(name);
  }
  return found;
}

/** A page without its blocks of code. */
function prose(page: string): string {
  return read(page).replaceAll(/```[\s\S]*?```/g, "");
}

/** `tcg/exec/vcpu.ts` stands for `packages/tcg/src/exec/vcpu.ts`. */
function inSource(file: string, path: string): boolean {
  const [name = "", ...rest] = path.split("/");
  return file === `packages/${name}/src/${rest.join("/")}`;
}
