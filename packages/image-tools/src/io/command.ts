import type { Session } from "./session.ts";

/** A command. */
export interface Command {
  readonly name: string;
  readonly alias?: string;
  /** Arguments as help shows them. */
  readonly args?: string;
  readonly summary: string;
  /** More help. */
  readonly details?: string;
  readonly least: number;
  /** -1: any number. */
  readonly most: number;
  /** Works without an open image. */
  readonly closed?: boolean;
  /** Option letters; `:` after one that has an argument. */
  readonly letters?: string;
  /** @internal @returns false when it failed (and has said so) */
  run(session: Session, given: Given): Promise<boolean>;
}

/** Arguments of a command, read. */
export interface Given {
  readonly operands: readonly string[];
  has(letter: string): boolean;
  value(letter: string): string | undefined;
}

/** Where the message of a failed command is printed: "program" is the error output, after the program's name. */
export type MessagePlace = "out" | "err" | "program";

/** A command failed, and its message says why. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly place: MessagePlace;
  /** Print how the command is used instead. */
  readonly usage: boolean;

  constructor(message: string, opts: { place?: MessagePlace; usage?: boolean } = {}) {
    super(message);
    this.place = opts.place ?? "out";
    this.usage = opts.usage ?? false;
  }
}

/** A failure that is told after the program's name. */
export function programError(message: string): CommandError {
  return new CommandError(message, { place: "program" });
}

/** The command was not given as it must be. */
export function misused(): CommandError {
  return new CommandError("", { usage: true });
}

/** Reads options as getopt does. @throws CommandError after a message on the error output */
export function readArguments(command: Command, words: readonly string[], complain: (text: string) => void): Given {
  const letters = command.letters ?? "";
  const operands: string[] = [];
  const values = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--") {
      operands.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-" || letters === "") {
      operands.push(word);
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      const known = letters.indexOf(letter);
      if (known < 0 || letter === ":") {
        complain(`${command.name}: invalid option -- '${letter}'\n`);
        throw misused();
      }
      if (letters[known + 1] !== ":") {
        values.set(letter, "");
        continue;
      }
      const joined = word.slice(at + 1);
      const value = joined === "" ? words[++i] : joined;
      if (value === undefined) {
        complain(`${command.name}: option requires an argument -- '${letter}'\n`);
        throw misused();
      }
      values.set(letter, value);
      break;
    }
  }
  return { operands, has: (letter) => values.has(letter), value: (letter) => values.get(letter) };
}

/** `read [-v] off len -- reads ...`. */
export function usageLine(command: Command): string {
  return `${command.name} ${command.args === undefined ? "" : `${command.args} `}-- ${command.summary}\n`;
}
