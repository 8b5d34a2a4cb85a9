import { ToolError } from "./errors.ts";

/**
 * `a=1,b=two`, a doubled comma standing for one. A first word without `=` is the value of `first`; a later one is `word=on`, and
 * `noword` is `word=off`.
 * @throws ToolError
 */
export function keyValues(given: string, first?: string): Record<string, string> {
  const out: Record<string, string> = {};
  split(given).forEach((item, at) => {
    const equals = item.indexOf("=");
    if (equals === 0) throw new ToolError(`Invalid parameter '${item}'`);
    if (equals > 0) out[item.slice(0, equals)] = item.slice(equals + 1);
    else if (at === 0 && first !== undefined) out[first] = item;
    else if (item !== "") {
      const off = item.startsWith("no") && item.length > 2;
      out[off ? item.slice(2) : item] = off ? "off" : "on";
    }
  });
  return out;
}

/** The items between single commas; two commas are one of an item. */
export function split(given: string): string[] {
  const out: string[] = [];
  let item = "";
  for (let i = 0; i < given.length; i++) {
    if (given[i] !== ",") item += given[i];
    else if (given[i + 1] === ",") {
      item += ",";
      i++;
    } else {
      out.push(item);
      item = "";
    }
  }
  if (item !== "" || out.length > 0) out.push(item);
  return out;
}

/** Whether an option text asks for the list of options. */
export function asksHelp(given: string): boolean {
  return split(given).some((item) => item === "help" || item === "?");
}
