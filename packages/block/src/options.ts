/** Options of the command line are flat and dotted ("file.driver"); those of JSON are nested. This makes both nested. */
export function nest(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(flat)) {
    const parts = key.split(".").filter((p) => p !== "__proto__");
    let here = out;
    for (const part of parts.slice(0, -1)) {
      const next = Object.hasOwn(here, part) ? here[part] : undefined;
      if (typeof next === "object" && next !== null) here = next as Record<string, unknown>;
      else here = here[part] = {} as Record<string, unknown>;
    }
    here[parts.at(-1) ?? key] = value;
  }
  return out;
}
