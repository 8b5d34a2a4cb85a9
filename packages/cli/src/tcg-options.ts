import type { BackEnd, TcgOptions } from "@mimus/tcg";

import { bytes, type KeyValues } from "./args/keyval.ts";
import { onlyParameters, wholeNumber } from "./args/values.ts";
import { UsageError } from "./errors.ts";

const BACK_ENDS: readonly BackEnd[] = ["auto", "interp", "wasm", "region"];

/** The parameters of `-accel tcg`, for help. */
export const TCG_PARAMETERS: Readonly<Record<string, string>> = {
  backend: `${BACK_ENDS.join("|")}: all by heat, or one tier from the first execution`,
  "tb-size": "MiB for descriptors and bytecode of blocks",
  hot: "executions of an interpreted block until it is compiled",
  threshold: "executions of a compiled block until a region is built around it",
  "max-insns": "guest instructions per region",
  "code-cap": "MiB of generated code above which all is thrown away",
  stress: "a seed: regions of random sizes, dropped at random",
  thread: "single|multi: vCPUs take turns on one thread, or each has one",
};

/** Options of the engine from the values of `-accel tcg,...`. @throws UsageError for an unknown name or a bad value */
export function tcgOptions(values: KeyValues): TcgOptions {
  onlyParameters("accel tcg", values, Object.keys(TCG_PARAMETERS));
  const { backend, thread } = values;
  if (thread !== undefined && thread !== "single" && thread !== "multi")
    throw new UsageError(`-accel tcg,thread=${String(thread)}: there are: single, multi`);
  if (backend !== undefined && !BACK_ENDS.includes(backend as BackEnd))
    throw new UsageError(`-accel tcg,backend=${String(backend)}: there are: ${BACK_ENDS.join(", ")}`);
  const mib = (name: string): number | undefined =>
    values[name] === undefined ? undefined : bytes(`accel tcg,${name}`, String(values[name]), "m");
  const count = (name: string): number | undefined => wholeNumber(`accel tcg,${name}=`, values[name]);
  const region = present({
    threshold: count("threshold"),
    maxInsns: count("max-insns"),
    codeCap: mib("code-cap"),
    stress: count("stress"),
  });
  return present({
    backend: backend as BackEnd | undefined,
    tbSize: mib("tb-size"),
    hotThreshold: count("hot"),
    region: Object.keys(region).length === 0 ? undefined : region,
  });
}

/** The object without what is undefined. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
