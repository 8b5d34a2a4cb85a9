/** `-m`: how much memory, and how much of it may come later. */
import { bytes, keyValues } from "./args/keyval.ts";
import { type GivenOption, last } from "./args/parse.ts";
import { onlyParameters, wholeNumber } from "./args/values.ts";
import { UsageError } from "./errors.ts";

/** Bytes of memory; undefined: as many as the board has. `ofBackend`: size of the object that is the memory. @throws UsageError */
export function memory(given: readonly GivenOption[], ofBackend: string | undefined): number | undefined {
  const text = last(given, "m");
  const backend = ofBackend === undefined ? undefined : bytes("object memory-backend-ram,size=", ofBackend, "b");
  if (text === undefined) return backend;
  const options = keyValues("m", text, "size");
  const size = options["size"];
  if (typeof size !== "string") throw new UsageError(`-m ${text}: expected a size such as 512M or 2G`);
  const ram = bytes("m", size, "m");
  if (ram < 1) throw new UsageError(`-m ${text}: a machine needs memory`);
  if (backend !== undefined && backend !== ram)
    throw new UsageError(`-m ${text}: the memory of memory-backend= has ${backend} bytes`);
  onlyParameters("m", options, ["size", "slots", "maxmem"]);
  const slots = wholeNumber("m slots=", options["slots"]) ?? 0;
  const { maxmem } = options;
  if (maxmem === undefined && slots > 0) throw new UsageError(`-m ${text}: slots=${slots} needs maxmem=SIZE`);
  if (slots > 256) throw new UsageError(`-m ${text}: slots=${slots} are more than 256`);
  if (maxmem !== undefined && bytes("m", String(maxmem), "b") < ram)
    throw new UsageError(`-m ${text}: maxmem=${String(maxmem)} is less than the ${ram} bytes of memory`);
  return ram;
}
