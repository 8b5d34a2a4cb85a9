import { readFileSync } from "node:fs";
import { parseSync } from "oxc-parser";

import { type Declaration, declarationsOf, type Node } from "./declaration.ts";

/** A name that a module exports, and where it comes from. */
interface Binding {
  /** Specifier of the module that has it; undefined: this one. */
  readonly from: string | undefined;
  /** Its name there; `*`: everything that the module exports. */
  readonly name: string;
}

/** A file of declarations: what it declares, imports and exports. */
export interface Module {
  readonly path: string;
  readonly declared: ReadonlyMap<string, readonly Declaration[]>;
  readonly imported: ReadonlyMap<string, Binding>;
  readonly exported: ReadonlyMap<string, Binding>;
  /** Modules whose exports are all exported. */
  readonly all: readonly string[];
}

const nameOf = (node: Node): string => String(node["name"] ?? node["value"]);

/** Reads the file of declarations `path`, which the compiler printed. */
export function readModule(path: string): Module {
  const text = readFileSync(path, "utf8");
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const declared = new Map<string, Declaration[]>();
  const imported = new Map<string, Binding>();
  const exported = new Map<string, Binding>();
  const all: string[] = [];
  const declare = (node: Node, start: number): void => {
    for (const declaration of declarationsOf({ text, comments }, node, start)) {
      const rest = declared.get(declaration.name);
      if (rest === undefined) declared.set(declaration.name, [declaration]);
      else rest.push(declaration);
    }
  };
  for (const statement of program.body as unknown as Node[]) {
    const source = statement["source"] as Node | null | undefined;
    const from = source === null || source === undefined ? undefined : String(source["value"]);
    if (statement.type === "ImportDeclaration")
      for (const specifier of statement["specifiers"] as Node[]) {
        const original = specifier["imported"] as Node | undefined;
        const name =
          specifier.type === "ImportDefaultSpecifier" ? "default" : original === undefined ? "*" : nameOf(original);
        imported.set(nameOf(specifier["local"] as Node), { from, name });
      }
    else if (statement.type === "ExportAllDeclaration") all.push(from ?? "");
    else if (statement.type === "ExportDefaultDeclaration") {
      exported.set("default", { from: undefined, name: nameOf(statement["declaration"] as Node) });
    } else if (statement.type === "ExportNamedDeclaration" && statement["declaration"] !== null) {
      const declaration = statement["declaration"] as Node;
      declare(declaration, statement.start);
      for (const { name } of declarationsOf({ text, comments }, declaration, statement.start))
        exported.set(name, { from: undefined, name });
    } else if (statement.type === "ExportNamedDeclaration")
      for (const specifier of statement["specifiers"] as Node[])
        exported.set(nameOf(specifier["exported"] as Node), { from, name: nameOf(specifier["local"] as Node) });
    else declare(statement, statement.start);
  }
  return { path, declared, imported, exported, all };
}
