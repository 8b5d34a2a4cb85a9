import type { Contents } from "./page.ts";
import type { Place, Workspace } from "./workspace.ts";

const keyOf = ({ path, name }: Place): string => `${path}#${name}`;

/**
 * What exported signatures name and nobody can import, as `package: export names Type`: a type of the workspace that no entry exports, or one that is
 * `@internal`. Members that are private or `@internal` may name what they like.
 */
export function unnamedIn(workspace: Workspace, contents: readonly Contents[]): string[] {
  const everything = contents.flatMap(({ pkg, sections }) =>
    sections.flatMap(({ entries }) => entries.map((entry) => ({ short: pkg.short, ...entry }))),
  );
  const importable = new Set(everything.map(({ place }) => keyOf(place)));
  return everything.flatMap(({ short, name, place, declarations }) => {
    const named = [...new Set(declarations.flatMap(({ mentions }) => mentions))]
      .flatMap((mention) => workspace.placeOf(place.path, mention) ?? [])
      .filter((other) => !importable.has(keyOf(other)));
    return [...new Set(named.map((other) => other.name))].map((other) => `${short}: ${name} names ${other}`);
  });
}
