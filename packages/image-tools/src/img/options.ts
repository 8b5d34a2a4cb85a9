import type { OptionSpec } from "../arguments.ts";

const option = (
  short: string | undefined,
  long: string | undefined,
  argument: string | undefined,
  help: string,
): OptionSpec => ({
  ...(short === undefined ? {} : { short }),
  ...(long === undefined ? {} : { long }),
  ...(argument === undefined ? {} : { argument }),
  help,
});
export { option };

/** Options that several verbs have. */
export const object: OptionSpec = option(
  undefined,
  "object",
  "OBJECT",
  "an object that the image needs: secret,id=ID,file=FILE or data=TEXT",
);
export const imageOpts: OptionSpec = option(
  undefined,
  "image-opts",
  undefined,
  "image names are lists of options: driver=...,file.filename=...",
);
export const format: OptionSpec = option(
  "f",
  "format",
  "FORMAT",
  "format of the image; looked for in its first bytes when not given",
);
export const quiet: OptionSpec = option("q", "quiet", undefined, "print errors only");
export const progress: OptionSpec = option("p", undefined, undefined, "show how far the work is");
export const share: OptionSpec = option(
  "U",
  "force-share",
  undefined,
  "open the image although another process writes to it",
);
export const output: OptionSpec = option(undefined, "output", "FORM", "'human' or 'json'");
export const cache: OptionSpec = option(
  "t",
  undefined,
  "CACHE",
  "cache mode of what is written: writeback, writethrough, none, directsync, unsafe",
);
export const sourceCache: OptionSpec = option("T", undefined, "CACHE", "cache mode of what is read");
export const rate: OptionSpec = option("r", undefined, "RATE", "bytes a second at most");
export const createOptions: OptionSpec = option(
  "o",
  undefined,
  "OPTIONS",
  "options of the format, NAME=VALUE,...; 'help' lists them",
);
export const snapshot: OptionSpec = option(
  "l",
  undefined,
  "SNAPSHOT",
  "use a snapshot inside the image: its id or name, or snapshot.id=ID,snapshot.name=NAME",
);
