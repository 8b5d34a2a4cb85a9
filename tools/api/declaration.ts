/** A node of the syntax tree, as far as it is looked at here. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A file's text and its comments, in the order of the file. */
export interface Source {
  readonly text: string;
  readonly comments: readonly {
    readonly type: string;
    readonly value: string;
    readonly start: number;
    readonly end: number;
  }[];
}

export const KINDS = ["Classes", "Functions", "Interfaces", "Types", "Constants"] as const;
export type Kind = (typeof KINDS)[number];

/** A public member of a class, an interface or an object type. */
export interface Member {
  readonly name: string;
  readonly documented: boolean;
  /** Its code with its docstring, for a place between the braces of a class. */
  readonly code: string;
  readonly isStatic: boolean;
}

/** One declaration of a name. */
export interface Declaration {
  readonly name: string;
  readonly kind: Kind;
  /** Its code without its docstring, and without what is private. */
  readonly code: string;
  /** Its docstring without the stars; undefined: it has none. */
  readonly doc: string | undefined;
  /** Names of types that the code mentions; `specifier#name` for those of modules that it names itself. */
  readonly mentions: readonly string[];
  /** Names of what it extends and implements: documentation of members is theirs. */
  readonly bases: readonly string[];
  readonly members: readonly Member[];
}

const KIND_OF: Readonly<Record<string, Kind>> = {
  ClassDeclaration: "Classes",
  TSDeclareFunction: "Functions",
  FunctionDeclaration: "Functions",
  TSInterfaceDeclaration: "Interfaces",
  TSTypeAliasDeclaration: "Types",
  VariableDeclaration: "Constants",
};

/** A constant whose type takes more lines than this is shown without the rest: a table of numbers says little on a page of types. */
const MOST_LINES = 40;

/** The declarations in a statement that starts at `start` with all its modifiers. */
export function declarationsOf(source: Source, node: Node, start: number): Declaration[] {
  const kind = KIND_OF[node.type];
  if (kind === undefined) return [];
  const doc = docBefore(source, start);
  const hidden = new Set(
    membersOf(node).filter((member) => isHidden(member) || isInternal(docBefore(source, member.start))),
  );
  const mentions = [...new Set(mentionsIn(node, hidden))].toSorted();
  if (kind === "Constants")
    return (node["declarations"] as Node[]).map((one) => {
      const id = one["id"] as Node;
      const code = `const ${tidy(source.text.slice(one.start, one.end))};`;
      return { name: String(id["name"]), kind, code: shorten(code), doc, mentions, bases: [], members: [] };
    });
  const name = String((node["id"] as Node)["name"]);
  const shown = membersOf(node).filter((member) => !hidden.has(member));
  const members = shown.map((m) => ({
    name: memberName(m),
    documented: docBefore(source, m.start) !== undefined,
    code: tidy(`    ${source.text.slice(startWithDoc(source, m.start), m.end)}`),
    isStatic: m["static"] === true,
  }));
  const code = kind === "Classes" ? classCode(source, node, members) : tidy(textWithout(source, node, hidden));
  return [{ name, kind, code, doc, mentions, bases: basesOf(node), members }];
}

/** Names without the docstring tag `@internal` are for everybody. */
export function isInternal(doc: string | undefined): boolean {
  return doc !== undefined && /(^|\n)@internal\b/.test(doc);
}

/** The docstring that ends right before `at`, without stars. */
function docBefore({ text, comments }: Source, at: number): string | undefined {
  const comment = comments.findLast((c) => c.end <= at);
  if (comment === undefined || !comment.value.startsWith("*") || text.slice(comment.end, at).trim() !== "")
    return undefined;
  return comment.value
    .slice(1)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();
}

function membersOf(node: Node): Node[] {
  const body = node["body"] as Node | null | undefined;
  if (node.type === "ClassDeclaration" || node.type === "TSInterfaceDeclaration") return body?.["body"] as Node[];
  const alias = node["typeAnnotation"] as Node | undefined;
  return node.type === "TSTypeAliasDeclaration" && alias?.type === "TSTypeLiteral" ? (alias["members"] as Node[]) : [];
}

function basesOf(node: Node): string[] {
  const heritage = [...((node["implements"] ?? node["extends"] ?? []) as Node[])].map(
    (one) => one["expression"] as Node,
  );
  const bases = [node["superClass"] as Node | null | undefined, ...heritage];
  return bases.flatMap((base) => (base?.type === "Identifier" ? [String(base["name"])] : []));
}

function isHidden(member: Node): boolean {
  const key = member["key"] as Node | undefined;
  return (
    key?.type === "PrivateIdentifier" ||
    member["accessibility"] === "private" ||
    member["accessibility"] === "protected"
  );
}

function memberName(member: Node): string {
  return String((member["key"] as Node | undefined)?.["name"] ?? "…");
}

/** A class with these members only: the public ones, with docstrings. */
function classCode(source: Source, node: Node, members: readonly Member[]): string {
  const head = tidy(source.text.slice(node.start, (node["body"] as Node).start + 1));
  return members.length === 0 ? `${head}}` : [head, ...members.map((member) => member.code), "}"].join("\n");
}

/** The text of `node` without these members of it. */
function textWithout(source: Source, node: Node, members: ReadonlySet<Node>): string {
  let text = "";
  let at = node.start;
  for (const member of members) {
    text += source.text.slice(at, startWithDoc(source, member.start)).trimEnd();
    at = member.end;
  }
  return text + source.text.slice(at, node.end);
}

function startWithDoc(source: Source, at: number): number {
  return docBefore(source, at) === undefined ? at : source.comments.findLast((c) => c.end <= at)!.start;
}

/** Two spaces a step, no modifiers that say only that it is a declaration, and no links: code has none. */
function tidy(code: string): string {
  return code
    .replace(/^(export )?(declare )?/, "")
    .replaceAll(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2))
    .replaceAll(/\{@link ([^}]*)\}/g, "$1");
}

function shorten(code: string): string {
  const lines = code.split("\n");
  return lines.length <= MOST_LINES ? code : [...lines.slice(0, MOST_LINES - 2), "  // …", lines.at(-1)].join("\n");
}

/** The names of types below `node`, but for those in `hidden`. */
function* mentionsIn(node: Node, hidden: ReadonlySet<Node>): Generator<string> {
  if (hidden.has(node)) return;
  const named = [node["typeName"], node["exprName"], node["superClass"]];
  if (node.type === "TSInterfaceHeritage" || node.type === "TSClassImplements") named.push(node["expression"]);
  for (const name of named as (Node | null | undefined)[]) if (name?.type === "Identifier") yield String(name["name"]);
  if (node.type === "TSImportType") {
    const qualifier = node["qualifier"] as Node | null;
    if (qualifier?.type === "Identifier")
      yield `${String((node["source"] as Node)["value"])}#${String(qualifier["name"])}`;
  }
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield* mentionsIn(item, hidden);
    } else if (isNode(value)) yield* mentionsIn(value, hidden);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}
