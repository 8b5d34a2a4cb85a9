import { type Plugin, PLUGIN_API, readManifest, Registry } from "@mimus/qom";
import { expect, it } from "vitest";

/** Kinds whose types users create by name. */
const CREATED: ReadonlySet<string> = new Set(["device", "object"]);

/**
 * What is wrong between a plugin's package.json and the types its entry exports; empty when all is well.
 * Every type that a user may create must be in "provides"; the others may be in "internal" (then they are found without an import).
 */
export function checkManifest(packageJson: unknown, plugin: Plugin): string[] {
  const json = packageJson as { name?: unknown; exports?: unknown; sideEffects?: unknown };
  const wrong: string[] = [];
  if (json.name !== plugin.name)
    wrong.push(`the plugin calls itself '${plugin.name}', its package.json '${String(json.name)}'; make them equal`);
  const exported = json.exports as Record<string, unknown> | undefined;
  if (exported?.["./package.json"] === undefined)
    wrong.push('"exports" lacks "./package.json": "./package.json", so that the plugin cannot be discovered');
  if (json.sideEffects !== false) wrong.push('"sideEffects" must be false: importing a plugin registers nothing');
  let manifest;
  try {
    manifest = readManifest(plugin.name, packageJson);
  } catch (error) {
    return [...wrong, error instanceof Error ? error.message : String(error)];
  }
  if (manifest === undefined) return [...wrong, 'package.json has no "mimus" field'];
  if (manifest.api !== PLUGIN_API) wrong.push(`"api" is ${manifest.api}; this test suite speaks ${PLUGIN_API}`);
  const keys = (of: Readonly<Record<string, readonly string[]>>): Set<string> =>
    new Set(Object.entries(of).flatMap(([k, names]) => names.map((n) => `${k}:${n}`)));
  const promised = keys(manifest.provides);
  const internal = keys(manifest.internal);
  const defined = new Map(plugin.types.map((t) => [`${t.kind}:${t.name}`, t]));
  for (const [key, type] of defined) {
    const offered = type.abstract !== true && (type.userCreatable !== false || !CREATED.has(type.kind));
    if (offered && !promised.has(key))
      wrong.push(`the entry exports ${type.kind} '${type.name}', "provides" does not name it`);
    if (!offered && promised.has(key))
      wrong.push(`"provides" names ${type.kind} '${type.name}', which no user can create; name it in "internal"`);
    const alias = type.class?.["alias"];
    if (typeof alias === "string" && manifest.aliases[type.kind]?.[alias] !== type.name)
      wrong.push(`${type.kind} '${type.name}' has the alias '${alias}', "aliases" does not name it`);
  }
  for (const [where, names] of [["provides", promised] as const, ["internal", internal] as const])
    for (const key of names)
      if (!defined.has(key)) wrong.push(`"${where}" names ${key.replace(":", " '")}', the entry does not export it`);
  for (const [kind, names] of Object.entries(manifest.aliases))
    for (const [alias, name] of Object.entries(names))
      if (defined.get(`${kind}:${name}`)?.class?.["alias"] !== alias)
        wrong.push(`"aliases" names '${alias}' for ${kind} '${name}', which does not declare it`);
  return wrong;
}

/** The manifest check as a test, and that the plugin loads into an empty registry. */
export function testManifest(packageJson: unknown, plugin: Plugin): void {
  it(`${plugin.name}: package.json promises what the entry exports`, () => {
    expect(checkManifest(packageJson, plugin)).toEqual([]);
    const registry = new Registry().use(plugin);
    for (const type of plugin.types) expect(registry.get(type.name)?.name).toBe(type.name);
  });
}
