/** What the parameters of an option may be, checked. */
import { onOff } from "@mimus/qom";

import { UsageError } from "../errors.ts";
import type { KeyValues } from "./keyval.ts";

/** Refuses parameters that an option does not have. @throws UsageError that lists those it has */
export function onlyParameters(option: string, values: KeyValues, known: readonly string[]): void {
  for (const key of Object.keys(values))
    if (!known.includes(key))
      throw new UsageError(`-${option}: invalid parameter '${key}' (known: ${known.join(", ")})`);
}

/** A parameter that is on or off; undefined where it is not given. @throws UsageError */
export function onOffParameter(option: string, values: KeyValues, key: string): boolean | undefined {
  const value = values[key];
  if (value === undefined) return undefined;
  const flag = onOff.safeParse(value);
  if (!flag.success) throw new UsageError(`-${option} ${key}=${String(value)}: expected on or off`);
  return flag.data;
}

/** A whole number from 0 to 2^53-1, decimal or 0x...; undefined where it is not given. `what`: the option and its parameter. @throws UsageError */
export function wholeNumber(what: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const n = /^(?:\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(n)) throw new UsageError(`-${what}${text}: expected a whole number`);
  return n;
}
