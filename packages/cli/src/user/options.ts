import { statSync } from "node:fs";

import { UsageError } from "../errors.ts";

/** What stands before the program on the command line. */
export interface UserOptions {
  readonly help: boolean;
  readonly version: boolean;
  readonly strace: boolean;
  readonly cpu: string | undefined;
  /** `NAME=VALUE` sets, `NAME` alone removes; in the order given. */
  readonly env: readonly string[];
  /** argv[0], when it is not the program's path. */
  readonly argv0: string | undefined;
  /** Folder that stands for / where a file is in it. */
  readonly sysroot: string | undefined;
  /** Bytes. */
  readonly stack: number | undefined;
  /** Bytes of address space. */
  readonly memory: number | undefined;
  readonly log: string;
  readonly logFile: string | undefined;
  readonly filter: string | undefined;
  readonly seed: number | undefined;
  readonly accel: string | undefined;
  /** The program and its arguments. */
  readonly program: readonly string[];
}

/** Options: name, what stands for its value, text for help. */
export const USER_OPTIONS: readonly (readonly [name: string, value: string, text: string])[] = [
  ["h", "", "print this help; also --help"],
  ["g", "port", "wait for a debugger (not there yet)"],
  ["L", "path", "look for the program's files under path first: its interpreter and libraries"],
  ["s", "size", "bytes of stack, with k, M or G; default 8M"],
  ["cpu", "model", "CPU model and extensions; 'help' lists the models"],
  ["E", "var=value", "set a variable of the program's environment; commas separate several"],
  ["U", "var", "remove variables from the program's environment"],
  ["0", "argv0", "give the program this name"],
  ["m", "size", "bytes of address space; default 2040M, or what the host has"],
  ["B", "address", "accepted: the address space always begins at 0"],
  ["R", "size", "as -m"],
  ["p", "size", "accepted: pages are 4096 bytes"],
  ["accel", "tcg,...", "options of the translator: backend=auto|interp|wasm|region, tb-size=MiB, threshold=N"],
  ["d", "items", "log these items, separated by commas; 'help' lists them"],
  ["dfilter", "ranges", "log only code in these address ranges"],
  ["D", "file", "where the log goes; default: standard error"],
  ["seed", "number", "make what is random repeat"],
  ["strace", "", "log system calls"],
  ["version", "", "print the version"],
];

/** The options' spelling in help. */
export function userHelp(command: string): string {
  const rows = USER_OPTIONS.map(([name, value, text]) => `  ${`-${name} ${value}`.trimEnd().padEnd(18)} ${text}`);
  return `usage: ${command} [options] program [arguments...]\nRuns a Linux program.\n\n${rows.join("\n")}\n`;
}

/** Takes the command line apart. @throws UsageError naming the option that is wrong */
export function parseUserOptions(argv: readonly string[]): UserOptions {
  const values: Map<string, string[]> = new Map();
  const env: string[] = [];
  let i = 0;
  for (; i < argv.length; i++) {
    const word = argv[i]!;
    if (!word.startsWith("-") || word === "-") break;
    if (word === "--") {
      i++;
      break;
    }
    const name = word.replace(/^--?/, "");
    const known = USER_OPTIONS.find(([n]) => n === (name === "help" ? "h" : name));
    if (known === undefined) throw new UsageError(`${word}: unknown option; -h lists the options`);
    const list = values.get(known[0]) ?? [];
    values.set(known[0], list);
    if (known[1] === "") list.push("");
    else if (i + 1 < argv.length) {
      const value = argv[++i]!;
      list.push(value);
      if (known[0] === "p" && !isPageSize(value)) throw new UsageError(`-p ${value}: expected a power of two`);
      // In their order: what is removed may be set again.
      if (known[0] === "E") env.push(...splitCommas(value).map(checkVariable));
      if (known[0] === "U") env.push(...splitCommas(value));
    } else throw new UsageError(`${word}: expected ${known[1]} after it`);
  }
  const last = (name: string): string | undefined => values.get(name)?.at(-1);
  const number = (name: string): number | undefined => {
    const text = last(name);
    return text === undefined ? undefined : parseSize(`-${name}`, text);
  };
  if (last("g") !== undefined) throw new UsageError("-g: debugging user programs is not there yet");
  return {
    help: last("h") !== undefined,
    version: last("version") !== undefined,
    strace: last("strace") !== undefined,
    cpu: last("cpu"),
    env,
    argv0: last("0"),
    sysroot: directory(last("L")),
    stack: number("s"),
    memory: number("m") ?? number("R"),
    log: (values.get("d") ?? []).join(","),
    logFile: last("D"),
    filter: last("dfilter"),
    seed: number("seed"),
    accel: last("accel"),
    program: argv.slice(i),
  };
}

/** @throws UsageError when there is none */
function directory(path: string | undefined): string | undefined {
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`-L ${path}: there is no such directory`);
  return path;
}

const splitCommas = (text: string): string[] => text.split(",").filter((part) => part !== "");

function checkVariable(text: string): string {
  if (text.indexOf("=") <= 0) throw new UsageError(`-E ${text}: expected NAME=VALUE`);
  return text;
}

/** `8M`, `0x10000`, `4096`. @throws UsageError */
function parseSize(option: string, text: string): number {
  const match = /^(0x[\da-f]+|\d+)([kmg]?)b?$/i.exec(text);
  const value = match === null ? NaN : Number(match[1]) * 1024 ** "_kmg".indexOf((match[2] || "_").toLowerCase());
  if (!Number.isSafeInteger(value)) throw new UsageError(`${option} ${text}: expected a number, or a size such as 8M`);
  return value;
}

function isPageSize(text: string): boolean {
  const bytes = parseSize("-p", text);
  return bytes >= 1 && Number.isInteger(Math.log2(bytes));
}

/** The environment that a program gets. */
export function programEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  changes: readonly string[],
): string[] {
  const env: Map<string, string> = new Map();
  for (const [name, value] of Object.entries(host)) if (value !== undefined) env.set(name, value);
  for (const change of changes) {
    const at = change.indexOf("=");
    if (at > 0) env.set(change.slice(0, at), change.slice(at + 1));
    else env.delete(change);
  }
  return Array.from(env, ([name, value]) => `${name}=${value}`);
}
