import type { OptionSpec } from "../arguments.ts";
import type { Verb } from "../verb.ts";
import { VERBS } from "./verbs.ts";

/** `-f, --format=FORMAT`. */
export function optionText({ short, long, argument }: OptionSpec): string {
  const value = argument === undefined ? "" : long === undefined ? ` ${argument}` : `=${argument}`;
  return (
    [...(short === undefined ? [] : [`-${short}`]), ...(long === undefined ? [] : [`--${long}`])].join(", ") + value
  );
}

/** Help on one verb. */
export function verbHelp(program: string, verb: Verb): string {
  const rows = verb.options.map((o) => `  ${optionText(o).padEnd(28)} ${o.help}`);
  const exits = Object.entries(verb.exits ?? {}).map(([code, text]) => `  ${code.padStart(3)}  ${text}`);
  return (
    `usage: ${program} ${verb.name} [options] ${verb.operands}\n${verb.summary}.\n\n${rows.join("\n")}\n` +
    (exits.length === 0 ? "" : `\nexit status:\n${exits.join("\n")}\n`)
  );
}

/** Help on all of them. `formats`: what is installed. */
export function imgHelp(program: string, formats: readonly string[]): string {
  const rows = VERBS.map((v) => `  ${v.name.padEnd(10)} ${v.summary}`);
  return (
    `usage: ${program} COMMAND [options] ...\n\n${rows.join("\n")}\n\n` +
    `'${program} COMMAND -h' shows the options of a command; '-V' shows the version.\n` +
    `Sizes are bytes, or have a suffix: k, M, G, T, P, E (powers of 1024).\n\n` +
    `Supported formats: ${formats.join(" ")}\n`
  );
}
