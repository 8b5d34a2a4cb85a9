/** Text or bytes. */
export type Content = string | Uint8Array;

/** Replaces what differs from run to run (process numbers, addresses, times) in an output. */
export type Normaliser = (text: string) => string;

/** One run of a guest program; the same run under QEMU says what is right. */
export interface ProgramCase {
  /** Unique; `group: what`. */
  readonly name: string;
  /** A program of the sysroot (`/usr/bin/bash`) or of the work directory (`./a.out`), and its arguments. */
  readonly argv: readonly string[];
  /** Programs that run before, in the same directory, each to status 0 or what QEMU has; their outputs count too. */
  readonly before?: readonly (readonly string[])[];
  readonly stdin?: Content;
  /** Files of the work directory, which is the current one; beside `fixtures()`. */
  readonly files?: Readonly<Record<string, Content>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of the emulator that both understand, before the program. */
  readonly options?: readonly string[];
  readonly normalise?: readonly Normaliser[];
  /** Runs in every test run, the others at night. */
  readonly quick?: boolean;
  /** Milliseconds that either emulator may take, 300 000 by default. */
  readonly timeout?: number;
  /** Where QEMU does not do what Linux does: the status of a shell under Linux, and what our message says. */
  readonly instead?: { readonly status: number; readonly stderr: RegExp };
}

/** Raw text, but for `\\${`, which is `${`. */
export function raw(text: TemplateStringsArray): string {
  return String.raw(text).replaceAll("\\${", "${");
}

/** Splits a line as a shell does: single and double quotes, `\` outside single ones; no expansion. */
function words(line: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? "";
    if (quote !== "'" && c === "\\") word = (word ?? "") + (line[++i] ?? "");
    else if (quote !== "" && c === quote) quote = "";
    else if (quote === "" && (c === "'" || c === '"')) {
      quote = c;
      word ??= "";
    } else if (quote === "" && c === " ") {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else word = (word ?? "") + c;
  }
  if (word !== undefined) found.push(word);
  return found;
}

/** A case per line: the arguments of `program`, a last `< name` for a fixture as standard input, a first `!` for a quick one. */
export function table(
  group: string,
  program: readonly string[],
  text: string,
  common: Partial<ProgramCase> = {},
  files: Readonly<Record<string, Content>> = {},
): ProgramCase[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const quick = line.startsWith("!");
      const [command = "", input] = line
        .replace(/^!/, "")
        .trim()
        .split(/ < (?=[\w.]+$)/);
      const stdin = input === undefined ? undefined : files[input];
      if (input !== undefined && stdin === undefined) throw new Error(`${line}: there is no file ${input}`);
      return {
        ...common,
        name: `${group}: ${line.replace(/^!/, "").trim()}`,
        argv: [...program, ...words(command)],
        ...(stdin === undefined ? {} : { stdin }),
        quick,
      };
    });
}

/** A case per script, given to `program` as its last argument; `quick` counts the first ones. */
export function scripts(
  group: string,
  program: readonly string[],
  list: readonly string[],
  common: Partial<ProgramCase> = {},
  quick = 0,
): ProgramCase[] {
  return list.map((script, i) => ({
    ...common,
    name: `${group}: ${script.trim().split("\n")[0]?.slice(0, 70) ?? ""}`,
    argv: [...program, script],
    quick: i < quick,
  }));
}
