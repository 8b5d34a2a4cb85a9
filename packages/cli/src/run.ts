import { isatty } from "node:tty";

import { didYouMean, isUserError } from "@mimus/qom";
import { config } from "zod";

import { pluginsCommand } from "./commands/plugins.ts";
import { systemCommand } from "./commands/system.ts";
import { UsageError } from "./errors.ts";
import type { Facts } from "./scripts/facts.ts";
import { leave } from "./user/leave.ts";
import { VERSION } from "./version.ts";

const HELP = `usage: mimus COMMAND [options]

  mimus system-riscv64 [options]   run a 64-bit RISC-V machine ('mimus system-riscv64 -h')
  mimus system-riscv32 [options]   run a 32-bit RISC-V machine
  mimus system-x86_64 [options]    run a 64-bit PC
  mimus system-i386 [options]      run a 32-bit PC
  mimus riscv64 [options] program  run a 64-bit RISC-V Linux program ('mimus riscv64 -h')
  mimus img COMMAND [options]      make, convert, check and repair disk images ('mimus img -h')
  mimus io [options] image         read and write a disk image by commands ('mimus io -h')
  mimus nbd [options] image        serve an image by the NBD protocol ('mimus nbd -h')
  mimus storage-daemon [options]   block nodes and their exports without a machine
  mimus plugins [--all]            list the packages found and what they provide
  mimus -version                   show the version
`;

async function main([command = "-h", ...argv]: readonly string[], facts: Facts): Promise<number> {
  const system = /^(?:qemu-|mimus-)?system-(\w+)$/.exec(command);
  if (system !== null) return systemCommand(system[1] ?? "", argv, facts);
  if (command === "plugins") return pluginsCommand(argv);
  const help = /^(?:-h|--?help|help)$/.test(command);
  if (!help && !/^--?version$/.test(command)) {
    const names = [...HELP.matchAll(/^ {2}mimus ([a-z]\S*)/gm)].map(([, name = ""]) => name);
    throw new UsageError(`there is no command '${command}'${didYouMean(command, names)}; 'mimus -h' lists them`);
  }
  process.stdout.write(help ? HELP : `mimus ${VERSION}\n`);
  return 0;
}

/** Runs a command, and ends the process. */
export async function run(argv: readonly string[], facts: Facts): Promise<never> {
  // Schemas are used a few times each here: compiling them costs 30 ms of a cold start and pays nothing back.
  config({ jitless: true });
  try {
    process.exitCode = await main(argv, facts);
  } catch (error) {
    process.stderr.write(
      isUserError(error)
        ? `mimus: ${error.message}\n`
        : `mimus: internal error: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
    // V8 may be at work on what the machine began with, and wait for this thread at the same time; a terminal needs an orderly end.
    leave(1, isatty(0));
  }
  process.exit();
}
