// Runs files of test vectors: pnpm vectors [-v] [--only REGEXP] [--keep N] FILE...

import { parseArgs } from "node:util";
import { VectorError } from "./case.ts";
import { readText } from "./input.ts";
import { READERS, readVectors } from "./readers.ts";
import { report, summary } from "./report.ts";
import type { Report } from "./report.ts";

const USAGE = `Use: pnpm vectors [OPTION...] FILE...
Runs test vectors (plain, .gz or .xz) and prints for each file how many are equal.

  -v, --verbose     show the first differences of each class
      --keep N      that many of them (default 3)
      --only REGEXP run only the classes that match
      --backend B   interp (default), wasm, region or auto, for targets that run on the execution engine
  -h, --help        show this

Formats: ${READERS.map(({ name }) => name).join(", ")}.
Exit status: 0 all equal or skipped, 1 differences, 2 a file could not be read.`;

function differences({ classes }: Report): string {
  return [...classes]
    .sort(([, a], [, b]) => b.count - a.count)
    .flatMap(([name, { count, first }]) => [`  ${name}: ${count} differ`, ...first.map((text) => `    ${text}`)])
    .join("\n");
}

/** Where the command writes. */
export interface Output {
  out(text: string): void;
  error(text: string): void;
}

/** Runs the command; returns its exit status. */
export async function main(args: readonly string[], output: Output): Promise<number> {
  try {
    return await command(args, output);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    output.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

async function command(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      verbose: { type: "boolean", short: "v" },
      keep: { type: "string", default: "3" },
      only: { type: "string" },
      backend: { type: "string", default: "interp" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    output.out(USAGE);
    return 0;
  }
  if (positionals.length === 0) {
    output.error(USAGE);
    return 2;
  }
  const keep = Number(values.keep);
  if (!Number.isInteger(keep) || keep < 0)
    throw new TypeError(`--keep takes a number of differences, not "${values.keep}"`);
  const { backend } = values;
  if (backend !== "interp" && backend !== "wasm" && backend !== "region" && backend !== "auto") {
    throw new TypeError(`--backend takes interp, wasm, region or auto, not "${backend}"`);
  }
  const only = values.only === undefined ? {} : { only: new RegExp(values.only) };
  let status = 0;
  for (const file of positionals) {
    try {
      const vectors = readVectors(readText(file), READERS, file);
      // oxlint-disable-next-line no-await-in-loop -- one file after the other keeps output and memory in order
      const result = await report(vectors, { keep, settings: { backend }, ...only });
      if (result.total === 0)
        throw new VectorError("malformed", only.only ? "no class matches --only" : "has no cases");
      output.out(`${file}: ${summary(result)}`);
      if (values.verbose === true && result.different > 0) output.out(differences(result));
      if (result.different > 0) status = Math.max(status, 1);
    } catch (error) {
      if (!(error instanceof VectorError)) throw error;
      output.error(error.message.startsWith(file) ? error.message : `${file}: ${error.message}`);
      status = 2;
    }
  }
  return status;
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2), {
    out: (text) => console.log(text),
    error: (text) => console.error(text),
  });
}
