import { UsageError } from "../errors.ts";

/** Options of one argument: strings from `key=value,...`, or whatever a JSON argument holds. */
export type KeyValues = Record<string, unknown>;

/**
 * Splits `first,key=value,flag,...` as QEMU does: `,,` is a comma inside a value, a key alone is `on`, `nokey` alone is `key=off`
 * when `key` is listed in `flags`, and a first item without `=` is the value of `implied`. An argument that starts with `{` is JSON.
 * @throws UsageError for JSON that does not parse and for an empty key.
 */
export function keyValues(option: string, text: string, implied?: string, flags: readonly string[] = []): KeyValues {
  if (text.startsWith("{")) return json(option, text);
  const result: KeyValues = {};
  splitCommas(text).forEach((item, index) => {
    const equals = item.indexOf("=");
    if (item.slice(0, equals) === "__proto__") throw new UsageError(`-${option}: invalid parameter '__proto__'`);
    if (equals > 0) {
      result[item.slice(0, equals)] = item.slice(equals + 1);
      return;
    }
    if (equals === 0) throw new UsageError(`-${option} ${text}: expected a parameter name before '='`);
    if (index === 0 && implied !== undefined) result[implied] = item;
    else if (item.startsWith("no") && flags.includes(item.slice(2))) result[item.slice(2)] = "off";
    else if (item !== "") result[item] = "on";
  });
  return result;
}

function json(option: string, text: string): KeyValues {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`-${option}: JSON does not parse: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(`-${option}: expected a JSON object`);
  return value as KeyValues;
}

/** Splits at single commas; a doubled comma stands for itself. */
export function splitCommas(text: string): string[] {
  const items: string[] = [];
  let item = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char !== ",") item += char;
    else if (text[i + 1] === ",") item += text[i++] ?? "";
    else {
      items.push(item);
      item = "";
    }
  }
  return [...items, item];
}

const SUFFIX: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes of `512`, `512M`, `1.5G`; without a suffix in units of `unit`. @throws UsageError naming the option. */
export function bytes(option: string, text: string, unit: keyof typeof SUFFIX): number {
  // A fraction of what? It needs its suffix.
  const match = /^(\d+(?:\.\d+(?=[kmgt]))?)([bkmgt]?)$/i.exec(text.trim());
  const value =
    match === null
      ? Number.NaN
      : Number(match[1]) * (SUFFIX[(match[2] === "" ? unit : match[2])?.toLowerCase() ?? unit] ?? 1);
  if (!Number.isSafeInteger(Math.floor(value)))
    throw new UsageError(`-${option} ${text}: expected a size such as 512M or 2G`);
  return Math.floor(value);
}
