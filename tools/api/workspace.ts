import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Declaration } from "./declaration.ts";
import { type Module, readModule } from "./module.ts";

/** A package that is published. */
export interface Package {
  /** Name of its directory. */
  readonly short: string;
  readonly name: string;
  readonly description: string;
  /** What it can be imported by, and the file of declarations behind it. */
  readonly entries: readonly (readonly [specifier: string, path: string])[];
}

/** Where a name is declared. Two names of one place are the same thing. */
export interface Place {
  readonly path: string;
  readonly name: string;
}

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, string | { readonly "@mimus/source": string }>>;
}

/** The packages of a workspace and what their entries export, from the declarations in a folder of their own. */
export class Workspace {
  readonly packages: readonly Package[];
  readonly #entries: ReadonlyMap<string, string>;
  readonly #modules = new Map<string, Module>();

  /** `dir`: the declarations of the workspace in `root`. */
  constructor(root: string, dir: string) {
    this.packages = globSync("packages/*/package.json", { cwd: root })
      .toSorted()
      .flatMap((file) => {
        const json = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest;
        if (json.private === true) return [];
        const entries = Object.entries(json.exports).flatMap(([path, target]) => {
          if (typeof target === "string") return [];
          const declarations = target["@mimus/source"].replace(/\.ts$/, ".d.ts");
          return [[json.name + path.slice(1), join(dir, dirname(file), declarations)] as const];
        });
        return [{ short: file.split(/[\\/]/)[1] ?? "", name: json.name, description: json.description, entries }];
      });
    this.#entries = new Map(this.packages.flatMap((p) => p.entries));
  }

  /** What the module at `path` exports, by the names that it exports it under. What other people's packages declare is not among it. */
  exportsOf(path: string, visited: ReadonlySet<string> = new Set()): Map<string, Place> {
    const found = new Map<string, Place>();
    if (visited.has(path)) return found;
    const module = this.#module(path);
    const deeper = new Set([...visited, path]);
    for (const specifier of module.all)
      for (const [name, place] of this.#exportsOfSpecifier(path, specifier, deeper))
        if (name !== "default") found.set(name, place);
    for (const [name, { from, name: original }] of module.exported) {
      const place =
        from === undefined
          ? this.placeOf(path, original, deeper)
          : this.#exportsOfSpecifier(path, from, deeper).get(original);
      if (place !== undefined) found.set(name, place);
    }
    return found;
  }

  /** Where `name`, as it is used in the file at `path`, is declared; undefined: outside the workspace. */
  placeOf(path: string, name: string, visited: ReadonlySet<string> = new Set()): Place | undefined {
    const [specifier = "", inner] = name.split("#");
    if (inner !== undefined) return this.#exportsOfSpecifier(path, specifier, visited).get(inner);
    const module = this.#module(path);
    if (module.declared.has(name)) return { path, name };
    const binding = module.imported.get(name);
    if (binding?.from === undefined) return undefined;
    return this.#exportsOfSpecifier(path, binding.from, visited).get(binding.name);
  }

  declarationsAt({ path, name }: Place): readonly Declaration[] {
    return this.#module(path).declared.get(name) ?? [];
  }

  #exportsOfSpecifier(path: string, specifier: string, visited: ReadonlySet<string>): Map<string, Place> {
    const file = specifier.startsWith(".")
      ? join(dirname(path), specifier.replace(/\.[jt]s$/, ".d.ts"))
      : this.#entries.get(specifier);
    return file === undefined || !existsSync(file) ? new Map() : this.exportsOf(file, visited);
  }

  #module(path: string): Module {
    let module = this.#modules.get(path);
    if (module === undefined) this.#modules.set(path, (module = readModule(path)));
    return module;
  }
}
