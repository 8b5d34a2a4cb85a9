import { nearest } from "@mimus/qom";

import { UsageError } from "../errors.ts";
import { absentOption } from "./absent-options.ts";
import { findOption, optionNames } from "./options.ts";

/** The options of one command line, in order, by their main name; flags have the value "". */
export type GivenOption = { readonly name: string; readonly value: string };

/** Splits a command line into options. @throws UsageError for an unknown option (with the nearest names) or a missing argument. */
export function parseArguments(argv: readonly string[]): GivenOption[] {
  const given: GivenOption[] = [];
  for (let i = 0; i < argv.length; i++) {
    const text = argv[i] ?? "";
    if (!text.startsWith("-") || text === "-") {
      given.push({ name: "hda", value: text });
      continue;
    }
    const name = text.replace(/^--?/, "");
    const spec = findOption(name);
    if (spec === undefined)
      throw new UsageError(`${text}: ${absentOption(name) ?? `invalid option${suggestion(name)}`}; -h lists them all`);
    if (spec.argument === undefined) {
      given.push({ name: spec.name, value: "" });
      continue;
    }
    const value = argv[++i];
    if (value === undefined) throw new UsageError(`${text}: requires an argument: -${spec.name} ${spec.argument}`);
    given.push({ name: spec.name, value });
  }
  return given;
}

function suggestion(name: string): string {
  const near = nearest(name, optionNames());
  return near.length === 0 ? "" : ` (did you mean ${near.map((n) => `-${n}`).join(", ")}?)`;
}

/** The last value of an option that counts once. */
export function last(given: readonly GivenOption[], name: string): string | undefined {
  return given.findLast((option) => option.name === name)?.value;
}

/** All values of an option, in order. */
export function all(given: readonly GivenOption[], name: string): string[] {
  return given.filter((option) => option.name === name).map((option) => option.value);
}
