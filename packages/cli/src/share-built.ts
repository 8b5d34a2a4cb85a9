import { existsSync, realpathSync } from "node:fs";
import { registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { packageFolder } from "./package-folder.ts";

/** Packages that the tools bring along in one file; see tool.ts. */
const IN_TOOL = ["@mimus/block", "@mimus/qom"];
const OUR_PACKAGE = /^@mimus\/[a-z\d-]+$/;
/** Modules of this project, installed or where they are developed. */
const OUR_MODULE = /^file:.*\/(?:@mimus|packages)\/[a-z\d-]+\/dist\/[^/]+\.js$/;
const OUR_CHUNK = /^\.\/[^/]+\.js$/;

/**
 * Lets every package of this process use what the build put into few files: a module costs a millisecond of a cold start. zod
 * is ninety small ones, of which our packages need a part (zod.ts), and the tools (`tool`) hold the packages that all formats
 * import. Another version of these, which a plugin may have below it, stays what it is.
 */
export function shareBuilt(tool: boolean): void {
  const built = (name: string): URL => new URL(`./${name}.js`, import.meta.url);
  const [part, whole, own] = [built("zod"), built("whole-zod"), built("tool")];
  if (!existsSync(part)) return;
  const held = new Set(tool ? IN_TOOL.map((name) => entryOf(name, import.meta.url)) : []);
  registerHooks({
    resolve(specifier, context, next) {
      const from = context.parentURL ?? "";
      if (specifier === "zod") return module((OUR_MODULE.test(from) ? part : whole).href);
      const url = ours(specifier, from);
      const found = url === undefined ? next(specifier, context) : module(url);
      return held.has(found.url) ? module(own.href) : found;
    },
  });
}

function module(url: string): { url: string; format: "module"; shortCircuit: true } {
  return { url, format: "module", shortCircuit: true };
}

/** Where a module of this project is, when one of them or the command itself asks: Node takes a millisecond for each. */
function ours(specifier: string, from: string): string | undefined {
  if (OUR_MODULE.test(specifier)) return withoutLinks(fileURLToPath(specifier));
  if (!OUR_MODULE.test(from)) return undefined;
  if (OUR_PACKAGE.test(specifier)) return entryOf(specifier, from);
  return OUR_CHUNK.test(specifier) ? new URL(specifier, from).href : undefined;
}

/** The entry of one of our packages as a module finds it. */
function entryOf(name: string, module: string): string | undefined {
  const folder = packageFolder(dirname(fileURLToPath(module)), name);
  return folder === undefined ? undefined : withoutLinks(join(folder, "dist/index.js"));
}

function withoutLinks(path: string): string | undefined {
  return existsSync(path) ? pathToFileURL(realpathSync.native(path)).href : undefined;
}
