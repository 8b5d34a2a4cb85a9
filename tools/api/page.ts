import { type Declaration, isInternal, type Kind, KINDS, type Member } from "./declaration.ts";
import type { Package, Place, Workspace } from "./workspace.ts";

/** A name on a page. */
interface Entry {
  readonly name: string;
  readonly place: Place;
  readonly declarations: readonly Declaration[];
  readonly kind: Kind;
  readonly doc: string | undefined;
  /** What follows # in a link to it, on the page of its package. */
  readonly anchor: string;
}

/** What one import specifier gives. */
interface Section {
  readonly specifier: string;
  readonly entries: readonly Entry[];
  /** Exported names that another specifier has a section for. */
  readonly elsewhere: readonly (readonly [name: string, place: Place])[];
}

/** What a package exports, in the order of its page. */
export interface Contents {
  readonly pkg: Package;
  readonly sections: readonly Section[];
}

/** A place in a page: what a name links to. */
type Links = ReadonlyMap<string, { readonly short: string; readonly anchor: string }>;

const keyOf = ({ path, name }: Place): string => `${path}#${name}`;

/** Gathers what the packages export. A thing that several specifiers give stands where it is declared, and there with the first of them. */
export function contentsOf(workspace: Workspace): Contents[] {
  return workspace.packages.map((pkg) => {
    const seen = new Set<string>();
    const anchors = new Map<string, number>();
    const anchorOf = (heading: string): string => {
      const slug = heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-");
      const count = anchors.get(slug) ?? 0;
      anchors.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    };
    anchorOf(pkg.name);
    const sections = pkg.entries.map(([specifier, path]) => {
      if (specifier !== pkg.name) anchorOf(specifier);
      const elsewhere: [string, Place][] = [];
      const found: Omit<Entry, "anchor">[] = [];
      for (const [name, place] of workspace.exportsOf(path)) {
        const declarations = workspace.declarationsAt(place);
        if (declarations.some(({ doc }) => isInternal(doc))) continue;
        if (!isOf(pkg, place) || seen.has(keyOf(place))) elsewhere.push([name, place]);
        else found.push({ name, place, declarations, kind: kindOf(declarations), doc: docOf(declarations) });
        seen.add(keyOf(place));
      }
      const entries: Entry[] = [];
      for (const kind of KINDS) {
        const group = found.filter((entry) => entry.kind === kind).toSorted((a, b) => compare(a.name, b.name));
        if (group.length > 0) anchorOf(kind);
        for (const entry of group) entries.push({ ...entry, anchor: anchorOf(entry.name) });
      }
      return { specifier, entries, elsewhere: elsewhere.toSorted(([a], [b]) => compare(a, b)) };
    });
    return { pkg, sections };
  });
}

/**
 * What has no docstring in `contents`, as `name` for an export and `name.member` for a public member of one. A member that what its class extends or
 * implements documents needs none, and neither does a constructor.
 */
export function silentIn(
  workspace: Workspace,
  { sections }: Contents,
): { readonly exports: string[]; readonly members: string[] } {
  const entries = sections.flatMap((section) => section.entries);
  return {
    exports: entries.filter(({ doc }) => doc === undefined).map(({ name }) => name),
    members: entries.flatMap(({ name, place }) => {
      const documented = documentedBelow(workspace, place).add("constructor");
      return workspace
        .declarationsAt(place)
        .flatMap(({ members }) => members.filter((m) => !m.documented && !documented.has(m.name)))
        .map((member) => `${name}.${member.name}`);
    }),
  };
}

/** Members that have a docstring in something that the class or interface at `place` extends or implements. */
function documentedBelow(workspace: Workspace, place: Place): Set<string> {
  const bases = workspace
    .declarationsAt(place)
    .flatMap((declaration) => declaration.bases)
    .flatMap((name) => workspace.placeOf(place.path, name) ?? []);
  const own = bases.flatMap((base) =>
    workspace.declarationsAt(base).flatMap(({ members }) => members.filter((m) => m.documented).map((m) => m.name)),
  );
  return new Set([...own, ...bases.flatMap((base) => [...documentedBelow(workspace, base)])]);
}

/** The pages of all packages, by their short names. */
export function pagesOf(workspace: Workspace, contents: readonly Contents[]): Map<string, string> {
  const links = new Map(
    contents.flatMap(({ pkg, sections }) =>
      sections.flatMap(({ entries }) =>
        entries.map(({ place, anchor }) => [keyOf(place), { short: pkg.short, anchor }] as const),
      ),
    ),
  );
  return new Map(contents.map((one) => [one.pkg.short, new Page(workspace, links, one).text()]));
}

/** Prints one page. */
class Page {
  readonly #workspace: Workspace;
  readonly #links: Links;
  readonly #contents: Contents;

  constructor(workspace: Workspace, links: Links, contents: Contents) {
    this.#workspace = workspace;
    this.#links = links;
    this.#contents = contents;
  }

  text(): string {
    const { pkg, sections } = this.#contents;
    const lines = [
      `# ${pkg.name}`,
      "",
      `<!-- Generated by tools/docs.ts from the docstrings of packages/${pkg.short}. -->`,
      "",
      `${pkg.description}. What it does and what it does not: its [README](../../../packages/${pkg.short}/README.md). [All packages](README.md).`,
    ];
    for (const section of sections) lines.push(...this.#section(section));
    return `${lines.join("\n")}\n`;
  }

  #section({ specifier, entries, elsewhere }: Section): string[] {
    const lines = specifier === this.#contents.pkg.name ? [] : ["", `# ${specifier}`];
    for (const kind of KINDS) {
      const group = entries.filter((entry) => entry.kind === kind);
      if (group.length === 0) continue;
      lines.push("", `## ${kind}`, "", group.map(({ name, anchor }) => `[${name}](#${anchor})`).join(" · "));
      for (const entry of group) lines.push(...this.#entry(entry));
    }
    const others = elsewhere.map(([name, place]) => this.#link(place, name) ?? `\`${name}\``);
    if (others.length > 0) lines.push("", `It also exports ${others.join(", ")}.`);
    return lines;
  }

  #entry({ name, place, declarations, doc }: Entry): string[] {
    const lines = ["", `### ${name}`, ""];
    if (doc !== undefined) lines.push(...this.#prose(doc, place.path), "");
    const code = declarations.map((d) => {
      const whole = d.kind === "Classes" ? withMembers(d, this.#hiddenMembers(place, d)) : d.code;
      return d.doc === undefined || d.doc === doc ? whole : `/** ${d.doc} */\n${whole}`;
    });
    lines.push("```ts", ...code, "```");
    const mentioned = [...new Set(declarations.flatMap((d) => d.mentions))]
      .map((mention) => this.#workspace.placeOf(place.path, mention))
      .filter((other) => other !== undefined && keyOf(other) !== keyOf(place))
      .flatMap((other) => this.#link(other!) ?? []);
    if (mentioned.length > 0) lines.push("", `See ${[...new Set(mentioned)].toSorted(compare).join(", ")}.`);
    return lines;
  }

  /** What a class has from classes that no page shows, by the name of each: who uses the class has it, and cannot look it up. */
  #hiddenMembers(place: Place, declaration: Declaration): Map<string, readonly Member[]> {
    const found = new Map<string, readonly Member[]>();
    const names = new Set(declaration.members.map((member) => member.name));
    for (const name of declaration.bases) {
      const base = this.#workspace.placeOf(place.path, name);
      if (base === undefined || this.#links.has(keyOf(base))) continue;
      for (const parent of this.#workspace.declarationsAt(base).filter(({ kind }) => kind === "Classes")) {
        const own = parent.members.filter((m) => !m.isStatic && m.name !== "constructor" && !names.has(m.name));
        for (const { name: taken } of own) names.add(taken);
        found.set(name, own);
        for (const [deeper, members] of this.#hiddenMembers(base, parent))
          found.set(
            deeper,
            members.filter((m) => !names.has(m.name)),
          );
      }
    }
    return found;
  }

  /** A docstring as Markdown: its tags become a list. */
  #prose(doc: string, path: string): string[] {
    return doc
      .replaceAll(/([^\n]) (@(?:throws|returns?)\b)/g, "$1\n$2")
      .replaceAll(/\{@link ([\w.]+)(?:\s[^}]*)?\}/g, (_, name: string) => this.#linkByName(name, path))
      .split("\n")
      .map((line) =>
        line
          .replace(/^@param (\S+) (?:- )?/, "- `$1`: ")
          .replace(/^@returns?:? /, "- Answers ")
          .replace(
            /^@throws (?:\{(\w+)\} ?)?/,
            (_, type?: string) => `- Throws ${type === undefined ? "" : `${type} `}`,
          ),
      )
      .flatMap((line, i, all) =>
        line.startsWith("- ") && i > 0 && !/^(- |$)/.test(all[i - 1]!) ? ["", line] : [line],
      );
  }

  #linkByName(name: string, path: string): string {
    const [first = "", ...rest] = name.split(".");
    const place = this.#workspace.placeOf(path, first) ?? this.#ownPlace(first);
    const label = [first, ...rest].join(".");
    return (place === undefined ? undefined : this.#link(place, label)) ?? `\`${label}\``;
  }

  #ownPlace(name: string): Place | undefined {
    return this.#contents.sections.flatMap(({ entries }) => entries).find((entry) => entry.name === name)?.place;
  }

  #link(place: Place, label: string = place.name): string | undefined {
    const to = this.#links.get(keyOf(place));
    if (to === undefined) return undefined;
    const page = to.short === this.#contents.pkg.short ? "" : `${to.short}.md`;
    return `[${label}](${page}#${to.anchor})`;
  }
}

/** The code of a class with what it has from others, each under the name of its class. */
function withMembers({ code }: Declaration, hidden: ReadonlyMap<string, readonly Member[]>): string {
  const inherited = [...hidden].filter(([, members]) => members.length > 0);
  if (inherited.length === 0) return code;
  const lines = inherited.flatMap(([name, members]) => [`  // of ${name}:`, ...members.map((member) => member.code)]);
  return `${code.replace(/\n?\}$/, "")}\n${lines.join("\n")}\n}`;
}

function isOf(pkg: Package, place: Place): boolean {
  return place.path.replaceAll("\\", "/").includes(`/packages/${pkg.short}/`);
}

/** A name with several declarations is grouped by what one makes of it at run time. */
function kindOf(declarations: readonly Declaration[]): Kind {
  const kinds = declarations.map((d) => d.kind);
  return (["Classes", "Functions", "Constants"] as const).find((kind) => kinds.includes(kind)) ?? kinds[0] ?? "Types";
}

function docOf(declarations: readonly Declaration[]): string | undefined {
  return declarations.find(({ doc }) => doc !== undefined)?.doc;
}

/** By letter, whatever the language of the machine. */
function compare(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  if (x !== y) return x < y ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
