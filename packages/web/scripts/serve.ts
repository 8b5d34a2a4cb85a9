/**
 * Serves the built page with the guests that `pnpm guests` fetched.
 *
 *   pnpm web [--port N] [--isolated] [--guests FOLDER]
 *
 * --isolated sends the COOP and COEP headers; the page needs them not.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { servePage } from "./server.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8000" },
    isolated: { type: "boolean", default: false },
    guests: { type: "string" },
  },
});
const here = join(import.meta.dirname, "..");
const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
const guests = values.guests ?? process.env["MIMUS_GUESTS"] ?? join(cache, "mimus", "guests");
const { url } = await servePage({
  page: join(here, "dist"),
  guests,
  isolated: values.isolated,
  port: Number(values.port),
}).catch((error: Error) => {
  console.error(`${error.message}; name another port with --port`);
  process.exit(1);
});
console.log(`The page: ${url}`);
if (existsSync(join(guests, "riscv64/linux"))) {
  const query = new URLSearchParams({
    bios: "guests/riscv64/fw_dynamic.bin",
    kernel: "guests/riscv64/linux",
    initrd: "guests/riscv64/initramfs.gz",
    append: "console=ttyS0",
  });
  console.log(`Linux:    ${url}?${query.toString()}`);
} else console.log(`Guests are looked for in ${guests}: 'pnpm guests' fetches them`);
