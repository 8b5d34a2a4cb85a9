/** How modules that Node loads, those of plugins above all, share what this process loaded as scripts. */
import { enableCompileCache, registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

import type { ScriptLoader } from "./script-loader.ts";

/** Where modules made here find what they export. */
const NAME = "@mimus/cli scripts";

/** A module of this project that is imported from outside is one that passes on what the script exports. `wholeZod`: for "zod". */
export function shareWithModules(loader: ScriptLoader, wholeZod: string): void {
  enableCompileCache();
  const shared = globalThis as unknown as Record<symbol, unknown>;
  shared[Symbol.for(NAME)] = (url: string) => loader.load(fileURLToPath(url));
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "zod" ? { url: wholeZod, format: "module", shortCircuit: true } : next(specifier, context),
    load(url, context, next) {
      if (url === wholeZod || !url.startsWith("file:") || !loader.isOwn(fileURLToPath(url))) return next(url, context);
      return { format: "module", source: passingOn(loader.load(fileURLToPath(url))), shortCircuit: true };
    },
  });
}

function passingOn(exported: object): string {
  const names = Object.keys(exported);
  return [
    `const { ${names.map((name, n) => `${JSON.stringify(name)}: e${n}`).join(", ")} } =`,
    `globalThis[Symbol.for(${JSON.stringify(NAME)})](import.meta.url);`,
    `export { ${names.map((name, n) => `e${n} as ${JSON.stringify(name)}`).join(", ")} };`,
  ].join("\n");
}
