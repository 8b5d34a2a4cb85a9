/** Changed and cut conversations for both ends of the NBD protocol. Usage: node --conditions=@mimus/source nbd-fuzz.ts [SECONDS [SEED]] */
import { NullNode } from "@mimus/block";

import { fuzzClient, fuzzServer } from "../../packages/nbd/src/fuzz.ts";

const [seconds = "60", first = String(Date.now() & 0x7fffffff)] = process.argv.slice(2);
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
