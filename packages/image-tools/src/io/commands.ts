import type { Command } from "./command.ts";
import { usageLine } from "./command.ts";
import * as control from "./control.ts";
import * as reading from "./read.ts";
import * as status from "./status.ts";
import * as writing from "./write.ts";

const help: Command = {
  name: "help",
  alias: "?",
  args: "[command]",
  summary: "show the commands, or one of them",
  least: 0,
  most: 1,
  closed: true,
  async run(session, { operands: [name] }) {
    if (name === undefined) {
      for (const command of COMMANDS) session.print(usageLine(command));
      session.print("\n'help COMMAND' tells more.\n");
      return true;
    }
    const command = findCommand(name);
    session.print(
      command === undefined
        ? `command ${name} not found\n`
        : usageLine(command) + (command.details === undefined ? "" : `${command.details}\n`),
    );
    return true;
  },
};

/** All commands, by name. */
export const COMMANDS: readonly Command[] = [
  ...Object.values(control).filter((c): c is Command => typeof c === "object"),
  reading.read,
  reading.readv,
  reading.aioRead,
  writing.write,
  writing.writev,
  writing.aioWrite,
  writing.discard,
  status.alloc,
  status.map,
  status.info,
  status.length,
  status.flush,
  status.truncate,
  help,
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** A command by its name or its short name. */
export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((c) => c.name === name || c.alias === name);
}
