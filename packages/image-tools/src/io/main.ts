import { BlockError } from "@mimus/block";
import { type Arguments, parseArguments } from "../arguments.ts";
import { isAio } from "../img/given.ts";
import { messageOf, ToolError } from "../errors.ts";
import type { ToolHost } from "../host.ts";
import { Tools } from "../tools.ts";
import { CommandError, readArguments, usageLine } from "./command.ts";
import type { Given } from "./command.ts";
import { findCommand } from "./commands.ts";
import { howToOpen } from "./control.ts";
import { IO_OPTIONS, ioHelp } from "./options.ts";
import { Session } from "./session.ts";

/** `mimus io`. @returns the exit status */
export async function io(argv: readonly string[], host: ToolHost): Promise<number> {
  let args: Arguments;
  try {
    args = parseArguments(argv, IO_OPTIONS);
  } catch (error) {
    host.err(`${host.program}: ${messageOf(error)}\n`);
    host.out(ioHelp(host.program));
    return 1;
  }
  if (args.has("help") || args.operands.length > 1) {
    host.out(ioHelp(host.program));
    return args.has("help") ? 0 : 1;
  }
  if (args.has("version")) {
    host.out(`${host.program} version ${host.version}\n`);
    return 0;
  }
  const tools = new Tools(host);
  try {
    const code = await run(args, tools);
    await tools.close();
    return code;
  } catch (error) {
    // What closing says of a node that could not be opened is the same again.
    await tools.close().catch(() => undefined);
    if (!(error instanceof ToolError || error instanceof BlockError || error instanceof CommandError)) throw error;
    tools.error(messageOf(error));
    return 1;
  }
}

async function run(args: Arguments, tools: Tools): Promise<number> {
  for (const object of args.all("object")) tools.objects.add(object);
  const session = new Session(tools);
  const [name] = args.operands;
  const imageOpts = args.has("image-opts");
  if (imageOpts && args.has("format")) throw new ToolError("--image-opts and -f are mutually exclusive");
  const aio = args.last("aio") ?? "threads";
  if (!isAio(aio)) throw new ToolError(`Invalid aio option: ${aio}`);
  const how = howToOpen(lettersOf(args));
  if (name !== undefined)
    await session.open(name, { ...how, imageOpts, ...(imageOpts ? {} : { format: args.last("format") }) });
  const commands = args.all("cmd");
  const good = commands.length > 0 ? await listed(session, commands) : await typed(session);
  await session.close();
  return good ? 0 : 1;
}

/** The options of the command line under the letters that `open` has. */
function lettersOf(args: Arguments): Given {
  const long: Readonly<Record<string, string>> = {
    r: "read-only",
    s: "snapshot",
    n: "nocache",
    C: "copy-on-read",
    U: "force-share",
    t: "cache",
    d: "discard",
  };
  return {
    operands: [],
    has: (letter) => args.has(long[letter] ?? letter),
    value: (letter) => args.last(long[letter] ?? letter),
  };
}

async function listed(session: Session, commands: readonly string[]): Promise<boolean> {
  let good = true;
  for (const command of commands) {
    if (session.done) break;
    good = (await runCommand(session, command)) && good;
  }
  return good;
}

async function typed(session: Session): Promise<boolean> {
  let good = true;
  const { host } = session.tools;
  for await (const line of host.lines?.(`${host.program}> `) ?? []) {
    good = (await runCommand(session, line)) && good;
    if (session.done) break;
  }
  return good;
}

/** Runs one line. @returns false when it failed */
async function runCommand(session: Session, line: string): Promise<boolean> {
  const [name, ...words] = line.split(/\s+/).filter((w) => w !== "");
  if (name === undefined) return true;
  const { host } = session.tools;
  const command = findCommand(name);
  if (command === undefined) {
    host.err(`command "${name}" not found\n`);
    return false;
  }
  if (command.closed !== true && !session.isOpen) {
    host.err("no file open, try 'help open'\n");
    return false;
  }
  if (words.length < command.least || (command.most >= 0 && words.length > command.most)) {
    host.err(
      `bad argument count ${words.length} to ${name}, expected ${expected(command.least, command.most)} arguments\n`,
    );
    return false;
  }
  try {
    return await command.run(
      session,
      readArguments(command, words, (text) => host.err(text)),
    );
  } catch (error) {
    if (error instanceof CommandError && error.usage) session.print(usageLine(command));
    else if (error instanceof CommandError && error.place !== "program") host[error.place](`${error.message}\n`);
    else if (error instanceof CommandError || error instanceof ToolError || error instanceof BlockError)
      session.tools.error(messageOf(error));
    else throw error;
    return false;
  }
}

function expected(least: number, most: number): string {
  if (most < 0) return `at least ${least}`;
  return least === most ? String(least) : `between ${least} and ${most}`;
}
