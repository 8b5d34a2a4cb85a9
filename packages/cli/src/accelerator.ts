import type { TcgOptions } from "@mimus/tcg";

import type { KeyValues } from "./args/keyval.ts";
import { UsageError } from "./errors.ts";
import { tcgOptions } from "./tcg-options.ts";

/** What runs the guest. */
interface Accelerator {
  readonly name: "tcg" | "qtest";
  readonly tcg: TcgOptions;
  /** Each vCPU has a thread. */
  readonly threads: boolean;
}

/** The first of `kvm:tcg` that is there, with its options. `qtest`: what it is when none is named. @throws UsageError when none is there */
export function accelerator(options: KeyValues, qtest: boolean): Accelerator {
  const { accel = qtest ? "qtest" : "tcg", ...values } = options;
  const name = String(accel)
    .split(":")
    .find((one) => one === "tcg" || one === "qtest");
  if (name === undefined) throw new UsageError(`-accel ${String(accel)}: no such accelerator; there are: tcg, qtest`);
  return { name, tcg: tcgOptions(values), threads: values["thread"] === "multi" };
}

/** The values of `-accel`, or the names of `-machine accel=`. @throws UsageError when both are given */
export function acceleratorOptions(accel: KeyValues, ofMachine: KeyValues[string] | undefined): KeyValues {
  if (ofMachine === undefined) return accel;
  if (Object.keys(accel).length > 0) throw new UsageError("-accel and -machine accel= are given: use one of the two");
  return { accel: ofMachine };
}
