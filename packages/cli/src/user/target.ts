import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

import type { UserTarget } from "@mimus/linux-user";

import { UsageError } from "../errors.ts";
import { entryOf, manifestPath, OWN_FOLDER, projectsAbove, readProject } from "../resolve.ts";

/** What a package's user-mode entry exports. */
interface UserModule {
  readonly userTargets: Readonly<Record<string, (cpu?: string) => UserTarget>>;
}
interface Json {
  readonly dependencies?: object;
  readonly devDependencies?: object;
  readonly optionalDependencies?: object;
  readonly mimus?: { readonly user?: Readonly<Record<string, string>> };
}

/**
 * Makes targets of an instruction set, from the package among the project's direct dependencies whose manifest offers it
 * (`"mimus": { "user": { "riscv64": "./user" } }`); undefined when there is none.
 */
export async function findUserTarget(name: string): Promise<((cpu?: string) => UserTarget) | undefined> {
  for (const project of [...projectsAbove(process.cwd()), ...projectsAbove(OWN_FOLDER)]) {
    const json = readProject(project) as Json;
    const packages = Object.keys({ ...json.optionalDependencies, ...json.devDependencies, ...json.dependencies });
    // Most likely first: nothing else has to be read then.
    for (const dependency of packages.toSorted(
      (a, b) => Number(b.includes("target-")) - Number(a.includes("target-")),
    )) {
      const found = providerOf(project, dependency, name);
      if (found === undefined) continue;
      const module = (await import(pathToFileURL(found).href)) as UserModule;
      const make = module.userTargets?.[name];
      if (make === undefined)
        throw new UsageError(`${dependency}: its manifest offers '${name}', but its code does not`);
      return make;
    }
  }
  return undefined;
}

function providerOf(project: string, dependency: string, name: string): string | undefined {
  let manifest: string;
  let json: Json;
  try {
    manifest = manifestPath(project, dependency);
    json = JSON.parse(readFileSync(manifest, "utf8")) as Json;
  } catch {
    return undefined;
  }
  const entry = json.mimus?.user?.[name];
  return entry === undefined ? undefined : entryOf(dirname(manifest), entry);
}
