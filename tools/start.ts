import { spawn } from "node:child_process";
import { join } from "node:path";

import { AptError } from "./guests/apt.ts";
import { fetchGuests, guestsDirectory, select } from "./guests/fetch.ts";

/**
 * `pnpm start`: Debian's riscv64 Linux with a busybox shell on this terminal, or the embedded guest where Debian's packages
 * cannot be had. Further arguments go to the machine.
 */
async function main(extra: readonly string[]): Promise<void> {
  const cli = join(import.meta.dirname, "../packages/cli");
  const mimus =
    process.env["MIMUS_FROM_SOURCE"] === undefined
      ? [join(cli, "dist/main.js")]
      : ["--conditions=@mimus/source", join(cli, "src/main.ts")];
  let guest: string[];
  try {
    await fetchGuests(select(["default"]), (line) => process.stderr.write(`start: ${line}\n`));
    const at = (name: string): string => join(guestsDirectory(), "riscv64", name);
    guest = [
      "-kernel",
      at("linux"),
      "-initrd",
      at("initramfs.gz"),
      "-append",
      "console=ttyS0",
      "-bios",
      at("fw_dynamic.bin"),
    ];
    process.stderr.write("start: booting Debian's Linux for riscv64; 'poweroff -f' ends it, Ctrl-A x kills it\n");
  } catch (error) {
    if (!(error instanceof AptError)) throw error;
    process.stderr.write(`start: ${error.message}\nstart: booting the embedded guest instead\n`);
    guest = ["-bios", "none", "-kernel", "embedded"];
  }
  const child = spawn(
    process.execPath,
    [...mimus, "system-riscv64", "-M", "virt", "-m", "512", "-nographic", ...guest, ...extra],
    {
      stdio: "inherit",
    },
  );
  // Ctrl-C belongs to the guest: the terminal is raw, and the machine decides what ends it.
  process.on("SIGINT", () => {});
  child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

await main(process.argv.slice(2));
