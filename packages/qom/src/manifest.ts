import { QomError } from "./errors.ts";

/** The version of the plugin contract that this package speaks: `"mimus": { "api": 1 }`. */
export const PLUGIN_API = 1;

/** The `"mimus"` field of a plugin's package.json. */
export interface Manifest {
  /** The plugin interface that it was written for; see {@link PLUGIN_API}. */
  readonly api: number;
  /** Kind → names of the types that a user may name. */
  readonly provides: Readonly<Record<string, readonly string[]>>;
  /** Kind → names of abstract types and parts of boards, which only other types name. */
  readonly internal: Readonly<Record<string, readonly string[]>>;
  /** Kind → alias → name. */
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

type Json = Readonly<Record<string, unknown>>;

/** What is wrong with a manifest, and where. */
class Wrong extends Error {
  constructor(at: string, wanted: string) {
    super(`is wrong at '${at}': expected ${wanted}`);
  }
}

// By hand: every start of the command reads the manifests of all dependencies, and they have three shapes.

function objectAt(value: unknown, at: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw new Wrong(at, "an object");
}

function nameAt(value: unknown, at: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new Wrong(at, "a name");
}

function listAt(value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value)) throw new Wrong(at, "a list of names");
  return value.map((name, n) => nameAt(name, `${at}.${n}`));
}

/** What a field says of each kind of types. */
function kindsAt<T>(field: Json, name: string, read: (value: unknown, at: string) => T): Readonly<Record<string, T>> {
  const kinds = objectAt(field[name] ?? {}, name);
  return Object.fromEntries(Object.entries(kinds).map(([kind, value]) => [kind, read(value, `${name}.${kind}`)]));
}

function aliasesAt(value: unknown, at: string): Readonly<Record<string, string>> {
  const all = Object.entries(objectAt(value, at));
  return Object.fromEntries(all.map(([alias, name]) => [nameAt(alias, at), nameAt(name, `${at}.${alias}`)]));
}

/**
 * The manifest in a package.json, or undefined when it has none.
 * @throws QomError bad-plugin, naming the package
 */
export function readManifest(packageName: string, json: unknown): Manifest | undefined {
  const value = (json as { readonly mimus?: unknown } | null | undefined)?.mimus;
  if (value === undefined) return undefined;
  try {
    const field = objectAt(value, "");
    const { api } = field;
    if (!Number.isSafeInteger(api) || (api as number) < 1) throw new Wrong("api", "a whole number from 1");
    return {
      api: api as number,
      provides: kindsAt(field, "provides", listAt),
      internal: kindsAt(field, "internal", listAt),
      aliases: kindsAt(field, "aliases", aliasesAt),
    };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new QomError(
      "bad-plugin",
      `the "mimus" field of ${packageName}/package.json ${error.message}; ` +
        `it should look like { "api": ${PLUGIN_API}, "provides": { "device": ["name"] } }`,
      { at: packageName },
    );
  }
}

/** Names of the packages that a project's package.json asks for, sorted. @throws QomError bad-plugin */
export function dependenciesOf(project: unknown): string[] {
  try {
    const { optionalDependencies = {}, devDependencies = {}, dependencies = {} } = objectAt(project, "");
    const all = { optionalDependencies, devDependencies, dependencies };
    return [...new Set(Object.entries(all).flatMap(([at, list]) => Object.keys(objectAt(list, at))))].toSorted();
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new QomError("bad-plugin", `the project's package.json ${error.message}`, { at: "package.json" });
  }
}
