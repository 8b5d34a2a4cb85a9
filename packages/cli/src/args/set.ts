import { UsageError } from "../errors.ts";
import { keyValues } from "./keyval.ts";
import { findOption } from "./options.ts";
import type { GivenOption } from "./parse.ts";

/** Options that have an id, and what their first item without a key means. */
const GROUPS: Readonly<Record<string, string | undefined>> = {
  device: "driver",
  drive: undefined,
  chardev: "backend",
  object: "qom-type",
  fsdev: "fsdriver",
};

/** The options with what `-set GROUP.ID.PROP=VALUE` changes in them. @throws UsageError when there is no such option */
export function applySet(given: readonly GivenOption[]): GivenOption[] {
  const options = given.filter(({ name }) => name !== "set");
  for (const { value: text } of given.filter(({ name }) => name === "set")) {
    const [, group = "", id, prop = "", value = ""] = /^([\w-]+)\.([\w-]+)\.([^=]+)=(.*)$/s.exec(text) ?? [];
    if (id === undefined) throw new UsageError(`-set ${text}: expected GROUP.ID.PROP=VALUE`);
    const name = findOption(group)?.name ?? group;
    if (!(name in GROUPS))
      throw new UsageError(`-set ${text}: there is no group '${group}'; there are: ${Object.keys(GROUPS).join(", ")}`);
    const at = options.findIndex(
      (option) => option.name === name && keyValues(name, option.value, GROUPS[name])["id"] === id,
    );
    const found = options[at];
    if (found === undefined) throw new UsageError(`-set ${text}: there is no -${name} with id=${id}`);
    const changed = found.value.startsWith("{")
      ? JSON.stringify({ ...keyValues(name, found.value), [prop]: value })
      : `${found.value},${prop}=${value.replaceAll(",", ",,")}`;
    options[at] = { name, value: changed };
  }
  return options;
}
