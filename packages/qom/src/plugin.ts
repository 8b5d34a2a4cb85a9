import { QomError } from "./errors.ts";
import { dependenciesOf, PLUGIN_API, readManifest, type Manifest } from "./manifest.ts";
import type { TypeSpec } from "./type.ts";

/** What a package contributes: its types. Loading it with `registry.use` registers them. */
export interface Plugin {
  /** The package's npm name. */
  readonly name: string;
  /** What `registry.use` registers. */
  readonly types: readonly TypeSpec[];
  /** Plugins whose types these build on (a bus, for instance); loaded first. */
  readonly uses?: readonly Plugin[];
}

/** Declares a plugin; the default export of a plugin package. */
export function definePlugin(p: Plugin): Plugin {
  return p;
}

/** Where a type that an installed package promises comes from. */
export interface Provider {
  /** Its npm name. */
  readonly package: string;
  /** Only boards and other types name it: it is loaded when they do, but not offered to users. */
  readonly internal?: true;
  /** The name that is an alias stands for this type. */
  readonly aliasOf?: string;
}

/** `"device:acme-lcd"` → the package that provides it. */
export type PluginIndex = ReadonlyMap<string, Provider>;

/** `"device:acme-lcd"` → the name of a package that would provide it, for error messages. */
export type PackageHints = ReadonlyMap<string, string>;

/** What was found in one direct dependency. */
export interface PluginReport {
  /** Its npm name. */
  readonly package: string;
  readonly version?: string;
  /** Its `mimus` field, when it has a valid one. */
  readonly manifest?: Manifest;
  /** Why it is not used as a plugin; absent when it is used. */
  readonly skipped?: string;
}

/** Looks at every direct dependency of `project` (its package.json); never throws for what a dependency contains. */
export async function inspectPlugins(
  project: unknown,
  readJson: (specifier: string) => Promise<unknown>,
): Promise<PluginReport[]> {
  return Promise.all(
    dependenciesOf(project).map(async (name): Promise<PluginReport> => {
      let json: unknown;
      try {
        json = await readJson(`${name}/package.json`);
      } catch {
        return { package: name, skipped: "its package.json cannot be read (not installed, or not exported)" };
      }
      const version = (json as { readonly version?: unknown } | null)?.version;
      const found = { package: name, ...(typeof version === "string" ? { version } : {}) };
      try {
        const manifest = readManifest(name, json);
        if (manifest === undefined) return { ...found, skipped: 'no "mimus" field' };
        if (manifest.api !== PLUGIN_API)
          return {
            ...found,
            manifest,
            skipped: `it speaks plugin API ${manifest.api}, this program speaks ${PLUGIN_API}; install a version for API ${PLUGIN_API}`,
          };
        return { ...found, manifest };
      } catch (error) {
        return { ...found, skipped: error instanceof Error ? error.message : String(error) };
      }
    }),
  );
}

/**
 * The index of what `reports` provide.
 * @throws QomError provider-clash when two packages provide one name
 */
export function indexReports(reports: Iterable<PluginReport>): PluginIndex {
  const index: Map<string, Provider> = new Map();
  const add = (kind: string, name: string, provider: Provider): void => {
    const key = `${kind}:${name}`;
    const other = index.get(key)?.package;
    if (other !== undefined && other !== provider.package)
      throw new QomError(
        "provider-clash",
        `both ${other} and ${provider.package} provide ${kind} '${name}'; remove one of the two packages`,
        { at: key },
      );
    index.set(key, provider);
  };
  for (const { package: from, manifest, skipped } of reports) {
    if (skipped !== undefined || manifest === undefined) continue;
    for (const [kind, names] of Object.entries(manifest.provides))
      for (const name of names) add(kind, name, { package: from });
    for (const [kind, names] of Object.entries(manifest.internal))
      for (const name of names) add(kind, name, { package: from, internal: true });
    for (const [kind, names] of Object.entries(manifest.aliases))
      for (const [alias, aliasOf] of Object.entries(names)) add(kind, alias, { package: from, aliasOf });
  }
  return index;
}

/**
 * `"device:acme-lcd" → "@acme/mimus-lcd"` for every direct dependency of `project` that carries a manifest.
 * `readJson` resolves a specifier such as `"@acme/mimus-lcd/package.json"` from the project's directory.
 * A package whose manifest is wrong is left out; `inspectPlugins` says why.
 * @throws QomError provider-clash
 */
export async function indexPlugins(
  project: unknown,
  readJson: (specifier: string) => Promise<unknown>,
): Promise<PluginIndex> {
  return indexReports(await inspectPlugins(project, readJson));
}
