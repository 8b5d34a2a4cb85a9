import { UsageError } from "../errors.ts";
import { findOption } from "./options.ts";
import type { GivenOption } from "./parse.ts";

/**
 * The options of a `-readconfig` file: sections `[device "id"]` with lines `key = "value"`, `#` comments.
 * @throws UsageError with the line that is wrong.
 */
export function configFile(path: string, text: string): GivenOption[] {
  const given: { name: string; parts: string[] }[] = [];
  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    const section = /^\[\s*([\w-]+)(?:\s+"([^"]*)")?\s*\]$/.exec(line);
    const setting = /^([\w.-]+)\s*=\s*"([^"]*)"$/.exec(line);
    const where = `${path}:${index + 1}`;
    if (section !== null) {
      const name = section[1] ?? "";
      if (findOption(name)?.argument === undefined)
        throw new UsageError(`${where}: there is no option group '${name}'`);
      given.push({
        name: findOption(name)?.name ?? name,
        parts: section[2] === undefined ? [] : [`id=${escape(section[2])}`],
      });
    } else if (setting !== null && given.length > 0) {
      given.at(-1)?.parts.push(`${setting[1]}=${escape(setting[2] ?? "")}`);
    } else throw new UsageError(`${where}: expected [group "id"] or key = "value"`);
  });
  return given.map(({ name, parts }) => ({ name, value: parts.join(",") }));
}

function escape(text: string): string {
  return text.replaceAll(",", ",,");
}
