import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { entryOf } from "../resolve.ts";
import type { CodeStore } from "./code-store.ts";

type Exports = Record<string, unknown>;
type Body = (
  exports: Exports,
  require: (name: string) => unknown,
  importModule: (name: string) => Promise<unknown>,
  moduleUrl: () => string,
) => void;

/** Packages whose modules are as asScript wants them. */
const OWN = /^@mimus\/[a-z\d-]+$/;

/**
 * Loads modules of this project as scripts (as-script.ts), each once; all others are Node's to load, and get what is here through
 * outside.ts.
 */
export class ScriptLoader {
  readonly #store: CodeStore;
  readonly #loaded: Map<string, Exports> = new Map();
  readonly #own: Map<string, boolean> = new Map();
  readonly #packages: Map<string, string | undefined> = new Map();
  /** What stands in for zod in this project's packages. */
  readonly #zod: string;
  #outside: (() => void) | undefined;

  /** `outside`: called once, before a module that is not of this project is loaded. */
  constructor(store: CodeStore, zod: string, outside: () => void) {
    this.#store = store;
    this.#zod = zod;
    this.#outside = outside;
  }

  /** What a module of this project exports. @throws what it throws */
  load(file: string): Exports {
    const known = this.#loaded.get(file);
    if (known !== undefined) return known;
    const exports: Exports = {};
    this.#loaded.set(file, exports);
    try {
      const body = this.#store.script(file).runInThisContext() as Body;
      body(
        exports,
        (name) => this.#require(name, file),
        (name) => this.#import(name, file),
        () => pathToFileURL(file).href,
      );
    } catch (error) {
      this.#loaded.delete(file);
      throw error;
    }
    return exports;
  }

  /** Whether a file is a built module of this project. */
  isOwn(file: string): boolean {
    return file.endsWith(".js") && this.#isOwnFolder(dirname(file));
  }

  #isOwnFolder(folder: string): boolean {
    let own = this.#own.get(folder);
    if (own === undefined) {
      const manifest = join(folder, "package.json");
      own = existsSync(manifest)
        ? OWN.test(String((JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown }).name))
        : folder !== dirname(folder) && this.#isOwnFolder(dirname(folder));
      this.#own.set(folder, own);
    }
    return own;
  }

  #require(name: string, from: string): unknown {
    const file = this.#ownFile(name, from);
    return file === undefined
      ? (process.getBuiltinModule(name) ?? this.#foreign(() => createRequire(from)(name) as unknown))
      : this.load(file);
  }

  async #import(name: string, from: string): Promise<unknown> {
    if (name.startsWith("file:")) {
      const file = fileURLToPath(name);
      return this.isOwn(file) ? this.load(file) : this.#foreign(() => import(name));
    }
    const file = this.#ownFile(name, from);
    if (file !== undefined) return this.load(file);
    const builtin = process.getBuiltinModule(name);
    return builtin ?? this.#foreign(() => import(pathToFileURL(createRequire(from).resolve(name)).href));
  }

  #foreign<T>(load: () => T): T {
    this.#outside?.();
    this.#outside = undefined;
    return load();
  }

  /** The file that a module of this project means; undefined when the name is not of this project. */
  #ownFile(name: string, from: string): string | undefined {
    if (name.startsWith(".")) return join(dirname(from), name);
    if (name === "zod") return this.#zod;
    const [scope, own, entry] = name.split("/");
    if (scope !== "@mimus" || own === undefined) return undefined;
    const folder = this.#packageFolder(dirname(from), `${scope}/${own}`);
    if (folder === undefined) return undefined;
    // Where the build puts it; to read the manifest for it takes as long as to load a module.
    return entry === undefined ? join(folder, "dist/index.js") : entryOf(folder, `./${entry}`);
  }

  /** The real folder of a package for modules in `from`: in the nearest `node_modules` that has it. */
  #packageFolder(from: string, name: string): string | undefined {
    const key = `${from}\0${name}`;
    if (this.#packages.has(key)) return this.#packages.get(key);
    const near = join(from, "node_modules", name);
    const found = existsSync(near)
      ? realpathSync.native(near)
      : from === dirname(from)
        ? undefined
        : this.#packageFolder(dirname(from), name);
    this.#packages.set(key, found);
    return found;
  }
}
