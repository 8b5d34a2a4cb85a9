import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { indexReports, inspectPlugins, type Plugin, type PluginReport, type Registry } from "@mimus/qom";

import { UsageError } from "./errors.ts";
import { HINTS } from "./hints.ts";
import { type Facts, type Look, NO_FACTS } from "./scripts/facts.ts";
import { entryOf, manifestPath, OWN_FOLDER, projectsAbove, readProject } from "./resolve.ts";

/** The packages of one project, and a registry that loads them when their types are first named. */
export interface Discovery {
  /** The package.json whose dependencies were looked at. */
  readonly project: string;
  readonly reports: readonly PluginReport[];
  readonly registry: Registry;
  /** Imports a plugin package of the project. */
  load(name: string): Promise<Plugin>;
  /** The address of a plugin package's entry. */
  locate(name: string): string;
}

/**
 * Reads the manifests of the project's direct dependencies: the nearest package.json above `from` that has plugins, or else above
 * this command. `extra` are packages named with `-plugin`: by name, or as a path to a package's folder. `facts` know what an earlier run read.
 */
export async function discoverInto(
  registry: Registry,
  from: string,
  extra: readonly string[] = [],
  facts: Facts = NO_FACTS,
): Promise<Discovery> {
  let found: { project: string; reports: PluginReport[] } | undefined;
  for (const project of [...projectsAbove(from), ...projectsAbove(OWN_FOLDER)]) {
    const reports = await facts.of(`plugins of ${project}`, (look) => inspectProject(project, look));
    found ??= { project, reports };
    if (!reports.some((report) => report.skipped === undefined)) continue;
    found = { project, reports };
    break;
  }
  const { project, reports } = found ?? { project: join(OWN_FOLDER, "package.json"), reports: [] };
  const paths = new Map<string, string>();
  for (const name of extra) reports.push(await inspectExtra(project, name, paths));

  const load = (name: string): Promise<Plugin> => importPlugin(project, paths.get(name) ?? name);
  registry.setIndex(indexReports(reports), load);
  registry.setHints(HINTS);
  const locate = (name: string): string => entryUrl(project, paths.get(name) ?? name);
  return { project, reports, registry, load, locate };
}

function inspectProject(project: string, look: Look): Promise<PluginReport[]> {
  look(project);
  return inspectPlugins(readProject(project), (specifier) => readJson(project, specifier, look));
}

async function inspectExtra(project: string, name: string, paths: Map<string, string>): Promise<PluginReport> {
  const folder = resolve(name);
  const inFolder = existsSync(join(folder, "package.json"));
  const json = inFolder ? readProject(join(folder, "package.json")) : undefined;
  const packageName = (json as { name?: string } | undefined)?.name ?? name;
  if (inFolder) paths.set(packageName, folder);
  const [report] = await inspectPlugins({ dependencies: { [packageName]: "*" } }, (specifier) =>
    inFolder ? Promise.resolve(json) : readJson(project, specifier),
  );
  if (report === undefined || report.skipped !== undefined)
    throw new UsageError(`-plugin ${name}: not a plugin: ${report?.skipped ?? "not found"}`);
  return report;
}

async function readJson(project: string, specifier: string, look: Look = () => {}): Promise<unknown> {
  // Where nearly every package manager puts it; asking Node takes ten times as long, once for each dependency.
  const near = `${dirname(project)}/node_modules/${specifier}`;
  look(near);
  let text: string;
  try {
    text = readFileSync(near, "utf8");
  } catch {
    const { resolve: find } = createRequire(project);
    for (const folder of find.paths(specifier) ?? []) look(join(folder, specifier));
    // A loader of its own (Plug'n'Play) decides as it likes.
    if (process.versions["pnp"] !== undefined) look(undefined);
    text = readFileSync(find(specifier), "utf8");
    // Where Node looks further (NODE_PATH, exports) is more than these files say.
    look(undefined);
  }
  return JSON.parse(text);
}

function entryUrl(project: string, name: string): string {
  // `createRequire` alone would ask for a package's CommonJS entry.
  return pathToFileURL(entryOf(existsSync(name) ? name : dirname(manifestPath(project, name)))).href;
}

async function importPlugin(project: string, name: string): Promise<Plugin> {
  const module = (await import(entryUrl(project, name))) as { default?: Plugin };
  if (module.default === undefined) throw new Error("it has no default export");
  return module.default;
}
