import { existsSync, realpathSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { packageFolder } from "./package-folder.ts";

/** Packages that the tools bring along in one file; see tool.ts. */
const IN_TOOL = ["@mimus/block", "@mimus/qom"];
/** Modules of this project, installed or where they are developed. */
const OUR_MODULE = /\/(?:@mimus|packages)\/[a-z\d-]+\/dist\/[^/]+\.js$/;

/**
 * Lets every package of this process use what the build put into few files: a module costs a millisecond of a cold start. zod
 * is ninety small ones, of which our packages need a part (zod.ts), and the tools (`tool`) hold the packages that all formats
 * import. Another version of these, which a plugin may have below it, stays what it is.
 */
export function shareBuilt(tool: boolean): void {
  const built = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
  const [part, whole, own] = [built("zod"), built("whole-zod"), built("tool")];
  if (!existsSync(part)) return;
  /** Where this command's own packages lie, by name. */
  const ours = new Map(tool ? IN_TOOL.map((name) => [name, placeOf(name, import.meta.url)]) : []);
  const entries = new Set([...ours.values()].map((place) => place && `${pathToFileURL(place).href}/dist/index.js`));
  registerHooks({
    resolve(specifier, context, next) {
      const from = context.parentURL ?? "";
      if (specifier === "zod") return module(OUR_MODULE.test(from) ? part : whole);
      // Node takes a millisecond for each of these.
      const place = ours.get(specifier);
      if (entries.has(specifier) || (place !== undefined && place === placeOf(specifier, from))) return module(own);
      const found = next(specifier, context);
      return entries.has(found.url) ? module(own) : found;
    },
  });
}

function module({ href }: URL): { url: string; format: "module"; shortCircuit: true } {
  return { url: href, format: "module", shortCircuit: true };
}

/** The folder of a package as a module finds it, without links. */
function placeOf(name: string, module: string): string | undefined {
  const folder = module.startsWith("file:") ? packageFolder(dirname(fileURLToPath(module)), name) : undefined;
  return folder === undefined ? undefined : realpathSync.native(folder);
}
