import { readFileSync } from "node:fs";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** The comment that a command's file begins with: what it does and how it is called. */
function helpOf(file: string): string {
  const comment = /^\/\*\*([^]*?)\*\//.exec(readFileSync(file, "utf8"))?.[1] ?? "";
  return comment.replaceAll(/^ *\* ?/gm, "").trim();
}

/**
 * The arguments of a command. `-h` prints the comment that its `file` begins with; a wrong argument ends the process with
 * one line and status 2.
 */
export function commandLine<T extends ParseArgsConfig>(file: string, config: T): ReturnType<typeof parseArgs<T>> {
  const help = { type: "boolean", short: "h" } as const;
  try {
    const parsed = parseArgs({ ...config, options: { ...config.options, help } });
    if ((parsed.values as { help?: boolean }).help !== true) return parsed as ReturnType<typeof parseArgs<T>>;
    process.stdout.write(`${helpOf(file)}\n`);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n-h says how the command is called\n`);
    process.exit(2);
  }
}
