import { usage } from "./errors.ts";

/** One option of a verb. */
export interface OptionSpec {
  /** One letter. */
  readonly short?: string;
  /** A word; an option has one or both. */
  readonly long?: string;
  /** Name of its argument, for help; absent = it takes none. */
  readonly argument?: string;
  /** What it does, for help and documentation. */
  readonly help: string;
}

/** The name under which {@link Arguments} knows an option. */
function nameOf(spec: OptionSpec): string {
  return spec.long ?? spec.short ?? "";
}

/** Options and operands as given. */
export class Arguments {
  /** In order; the value of an option without argument is "". */
  readonly given: readonly (readonly [name: string, value: string])[];
  /** Words that are no options, in order. */
  readonly operands: readonly string[];

  constructor(given: readonly (readonly [string, string])[], operands: readonly string[]) {
    this.given = given;
    this.operands = operands;
  }
  /** Whether the option was given. */
  has(name: string): boolean {
    return this.given.some(([n]) => n === name);
  }
  /** Its value where it stood last; undefined: it was not given. */
  last(name: string): string | undefined {
    return this.all(name).at(-1);
  }
  /** Its values in order. */
  all(name: string): string[] {
    return this.given.filter(([n]) => n === name).map(([, value]) => value);
  }
}

/**
 * Reads options as getopt_long does: clusters (`-pq`), values joined (`-fraw`, `--output=json`) or apart, unique prefixes of long names,
 * options after operands, `--` ends them.
 * @throws ToolError with a hint at the help
 */
export function parseArguments(argv: readonly string[], specs: readonly OptionSpec[]): Arguments {
  const given: [string, string][] = [];
  const operands: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") {
      operands.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") operands.push(word);
    else if (word.startsWith("--")) i += long(word, argv[i + 1], specs, given);
    else i += cluster(word, argv[i + 1], specs, given);
  }
  return new Arguments(given, operands);
}

/** @returns how many further words it took */
function long(word: string, next: string | undefined, specs: readonly OptionSpec[], given: [string, string][]): number {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const near = specs.filter((s) => s.long?.startsWith(name) === true);
  const spec = near.find((s) => s.long === name) ?? (near.length === 1 ? near[0] : undefined);
  if (spec === undefined || (value !== undefined && spec.argument === undefined))
    throw usage(`unrecognized option '${word}'`);
  if (spec.argument === undefined) given.push([nameOf(spec), ""]);
  else if (value !== undefined) given.push([nameOf(spec), value]);
  else if (next === undefined) throw usage(`missing argument for option '${word}'`);
  else {
    given.push([nameOf(spec), next]);
    return 1;
  }
  return 0;
}

function cluster(
  word: string,
  next: string | undefined,
  specs: readonly OptionSpec[],
  given: [string, string][],
): number {
  for (let at = 1; at < word.length; at++) {
    const spec = specs.find((s) => s.short === word[at]);
    if (spec === undefined) throw usage(`unrecognized option '${word}'`);
    if (spec.argument === undefined) {
      given.push([nameOf(spec), ""]);
      continue;
    }
    const joined = word.slice(at + 1);
    if (joined !== "") given.push([nameOf(spec), joined]);
    else if (next === undefined) throw usage(`missing argument for option '${word}'`);
    else given.push([nameOf(spec), next]);
    return joined === "" ? 1 : 0;
  }
  return 0;
}
