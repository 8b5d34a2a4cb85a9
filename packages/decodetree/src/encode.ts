import { DecodeTreeError } from "./errors.ts";
import type { Entry } from "./table.ts";

/** The encoding of `entry` with the given operands, unsigned. @throws DecodeTreeError "value-range", "value-missing". */
export function encode(entry: Entry, values: Readonly<Record<string, number>>): number {
  let word = entry.value;
  for (const [name, field] of entry.fields) {
    const value = values[name];
    if (value === undefined) throw new DecodeTreeError("value-missing", `operand ${name} is missing`, entry.mnemonic);
    if (!field.accepts(value)) {
      const step = field.shift > 0 ? ` in steps of ${2 ** field.shift}` : "";
      const not = field.excluded.length > 0 ? `, not ${field.excluded.join(" or ")}` : "";
      const range = `${field.min} to ${field.max}${step}${not}`;
      throw new DecodeTreeError("value-range", `operand ${name} is ${value}; possible: ${range}`, entry.mnemonic);
    }
    word |= field.insert(value);
  }
  return word >>> 0;
}
