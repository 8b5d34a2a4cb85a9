/**
 * Changed and cut conversations for both ends of the NBD protocol: 60 seconds, or as many as are given.
 *
 *   pnpm nbd-fuzz [SECONDS [SEED]]
 */
import { NullNode } from "@mimus/block";

import { fuzzClient, fuzzServer } from "../../packages/nbd/src/fuzz.ts";
import { commandLine } from "../lib/command-line.ts";

const { positionals } = commandLine(import.meta.filename, { allowPositionals: true });
const [seconds = "60", first = String(Date.now() & 0x7fffffff)] = positionals;
const end = Date.now() + Number(seconds) * 1000;
let seed = Number(first);
process.on("unhandledRejection", (error) => {
  console.error(`seed ${seed}:`, error);
  process.exit(1);
});
let runs = 0;
let hung = 0;
for (; Date.now() < end; seed++, runs++) {
  const node = new NullNode("n", { driver: "null-co", size: 1 << 20, zeroes: true, readOnly: false });
  for (const [what, result] of [
    ["server", await fuzzServer(seed, node)],
    ["client", await fuzzClient(seed)],
  ] as const)
    if (result !== "ended") console.error(`seed ${seed}: the ${what} hangs (${++hung})`);
}
console.log(`${runs} conversations with each end, from seed ${first}; ${hung} hung`);
process.exitCode = hung === 0 ? 0 : 1;
