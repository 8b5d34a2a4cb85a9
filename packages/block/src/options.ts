import { BlockError } from "./errors.ts";

/** Options of the command line are flat and dotted ("file.driver"); those of JSON are nested. This makes both nested. */
export function nest(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(flat)) {
    const parts = key.split(".");
    if (parts.includes("__proto__")) throw new BlockError("bad-option", `Parameter '__proto__' is unexpected`);
    let here = out;
    for (const [depth, part] of parts.slice(0, -1).entries()) {
      const next = Object.hasOwn(here, part) ? here[part] : (here[part] = {});
      if (typeof next !== "object" || next === null) throw inconsistent(parts.slice(0, depth + 1));
      here = next as Record<string, unknown>;
    }
    const last = parts.at(-1) ?? key;
    if (Object.hasOwn(here, last)) throw inconsistent(parts);
    here[last] = value;
  }
  refuseDepth(out);
  return out;
}

function inconsistent(parts: readonly string[]): BlockError {
  return new BlockError("bad-option", `Parameters '${parts.join(".")}.*' used inconsistently`);
}

/** Nodes within nodes, as one option describes them: as long as a chain may be, with a format and a protocol each. */
const DEEPEST = 256;

/** Looks at each level in turn: what is nested without end would end the stack. */
function refuseDepth(options: Readonly<Record<string, unknown>>): void {
  let level: object[] = [options];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEEPEST) throw new BlockError("bad-option", `Options are nested more than ${DEEPEST} deep`);
    level = level
      .flatMap((one) => Object.values(one) as unknown[])
      .filter((v) => typeof v === "object" && v !== null) as object[];
  }
}
