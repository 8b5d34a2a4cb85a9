import { type Plugin, PLUGIN_API, readManifest, Registry } from "@mimus/qom";
import { expect, it } from "vitest";

/**
 * What is wrong between a plugin's package.json and the types its entry exports; empty when all is well.
 * Every type that a user may create must be promised; the others may be (then they are found without an import).
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
  const promised = new Set(Object.entries(manifest.provides).flatMap(([k, names]) => names.map((n) => `${k}:${n}`)));
  const defined = new Map(plugin.types.map((t) => [`${t.kind}:${t.name}`, t]));
  for (const [key, type] of defined)
    if (!promised.has(key) && type.abstract !== true && type.userCreatable !== false)
      wrong.push(`the entry exports ${type.kind} '${type.name}', "provides" does not name it`);
  for (const key of promised)
    if (!defined.has(key)) wrong.push(`"provides" names ${key.replace(":", " '")}', the entry does not export it`);
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
