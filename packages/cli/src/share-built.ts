import { registerHooks } from "node:module";

/** Packages that the tools bring along in one file; see tool.ts. */
const IN_TOOL = ["@mimus/block", "@mimus/qom"];

/**
 * Lets every package of this process use what the build put into few files: a module costs a millisecond of a cold start. zod
 * is ninety small ones, and the tools (`tool`) hold the packages that all formats import. Another version of these, which a
 * plugin may have below it, stays what it is.
 */
export function shareBuilt(tool: boolean): void {
  const zod = new URL("./zod.js", import.meta.url);
  // An import of node:fs costs 5 ms more than this.
  if (!process.getBuiltinModule("node:fs").existsSync(zod)) return;
  const own = new URL("./tool.js", import.meta.url).href;
  /** Where this command's own packages lie, by name. */
  const ours = new Map<string, string>();
  const held = new Map(tool ? IN_TOOL.map((name) => [`/${name.slice(7)}/dist/index.js`, name]) : []);
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "zod") return { url: zod.href, format: "module", shortCircuit: true };
      const found = next(specifier, context);
      const name = held.get(/\/[a-z]+\/dist\/index\.js$/.exec(found.url)?.[0] ?? "");
      // Ours, and not another version of it.
      if (name === undefined) return found;
      const at = ours.get(name) ?? next(name, { ...context, parentURL: import.meta.url }).url;
      ours.set(name, at);
      return at === found.url ? { url: own, format: "module", shortCircuit: true } : found;
    },
  });
}
