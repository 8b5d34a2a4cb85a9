/** Finds packages of a project on disk, without importing them. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { UsageError } from "./errors.ts";
import { packageFolder } from "./package-folder.ts";

/** The folder above this package: its own package.json names what the command is made of, not what the user chose. */
export const OWN_FOLDER: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Every package.json from a folder upwards. */
export function* projectsAbove(from: string): Iterable<string> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const path = join(folder, "package.json");
    if (existsSync(path)) yield path;
    if (folder === dirname(folder)) return;
  }
}

/** @throws UsageError when it is not JSON */
export function readProject(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** The package.json of a package as a project sees it. */
export function manifestPath(project: string, name: string): string {
  const folder = packageFolder(dirname(project), name);
  return folder === undefined
    ? createRequire(project).resolve(`${name}/package.json`)
    : join(realpathSync.native(folder), "package.json");
}

/** The file of an entry (`.` or `./user`) of the package in a folder. */
export function entryOf(folder: string, entry = "."): string {
  const { exports: exported, main } = readProject(join(folder, "package.json")) as { exports?: unknown; main?: string };
  const found =
    typeof exported === "object" && exported !== null
      ? ((exported as Record<string, unknown>)[entry] ?? (entry === "." ? exported : undefined))
      : exported;
  return join(folder, pick(found) ?? main ?? "index.js");
}

/** The first condition of an `exports` entry that holds here. */
function pick(entry: unknown): string | undefined {
  if (typeof entry === "string") return entry;
  if (typeof entry !== "object" || entry === null) return undefined;
  for (const [condition, value] of Object.entries(entry))
    if (
      condition === "import" ||
      condition === "node" ||
      condition === "default" ||
      process.execArgv.includes(`--conditions=${condition}`)
    ) {
      const path = pick(value);
      if (path !== undefined) return path;
    }
  return undefined;
}
