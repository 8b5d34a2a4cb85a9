import { didYouMean, isUserError } from "@mimus/qom";
import { parseArguments } from "../arguments.ts";
import { INTERRUPTED, messageOf, NAMED, ToolError, usage } from "../errors.ts";
import type { ToolHost } from "../host.ts";
import { Interrupted, Tools } from "../tools.ts";
import type { Verb } from "../verb.ts";
import { imgHelp, verbHelp } from "./help.ts";
import * as o from "./options.ts";
import { VERBS } from "./verbs.ts";

const HELP = o.option("h", "help", undefined, "show this help");

/** `mimus img`: runs one verb. @returns the exit status */
export async function img(argv: readonly string[], host: ToolHost): Promise<number> {
  const [name = "", ...rest] = argv;
  try {
    if (name === "") throw usage("Not enough arguments");
    if (name === "-h" || name === "--help") return help(host);
    if (name === "-V" || name === "--version") return print(host, `${host.program} version ${host.version}\n`);
    const verb = VERBS.find((v) => v.name === name);
    if (verb === undefined) throw unknownVerb(name);
    return await runVerb(verb, rest, host);
  } catch (error) {
    return report(host, error);
  }
}

function unknownVerb(name: string): ToolError {
  if (name.startsWith("-")) return usage(`unrecognized option '${name}'`);
  const near = didYouMean(
    name,
    VERBS.map((verb) => verb.name),
  );
  return usage(`Command not found: ${name}${near}`);
}

async function runVerb(verb: Verb, given: readonly string[], host: ToolHost): Promise<number> {
  const argv = [...given];
  const wantsHelp = argv.includes("-h") || argv.includes("--help");
  let last: string[] = [];
  if (verb.lastWord === true && !wantsHelp) {
    if (argv.length < 2) throw usage("Not enough arguments");
    last = argv.splice(-1);
    if (argv.at(-1) === "--") argv.pop();
  }
  const args = parseArguments([...argv, ...(last.length > 0 ? ["--", ...last] : [])], [...verb.options, HELP]);
  if (args.has("help")) return print(host, verbHelp(host.program, verb));
  const run = await verb.load();
  const tools = new Tools(host);
  let code: number;
  try {
    for (const object of args.all("object")) tools.objects.add(object);
    code = await run(args, tools);
  } catch (error) {
    await tools.close().catch(() => undefined);
    throw error;
  }
  await tools.close();
  return code;
}

function help(host: ToolHost): number {
  const { registry } = host;
  const names = ["block-format", "block-protocol", "block-filter"].flatMap((k) => registry.known(k).map((t) => t.name));
  return print(host, imgHelp(host.program, [...new Set(names)].toSorted()));
}

function print(host: ToolHost, text: string): number {
  host.out(text);
  return 0;
}

/** Prints a failure. @returns its exit status */
function report(host: ToolHost, error: unknown): number {
  if (error instanceof Interrupted) {
    host.err(`${host.program}: interrupted${error.message === "" ? "" : `: ${error.message}`}\n`);
    return INTERRUPTED;
  }
  if (!isUserError(error)) throw error;
  messageOf(error)
    .split("\n")
    .forEach((line, at) =>
      host.err(at === 0 || line.startsWith(NAMED) ? `${host.program}: ${line.replace(NAMED, "")}\n` : `${line}\n`),
    );
  if (error instanceof ToolError && error.hint) host.err(`Try '${host.program} --help' for more information\n`);
  return error instanceof ToolError ? error.code : 1;
}
