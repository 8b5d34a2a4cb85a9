import { fetchGuests, guestsDirectory, select } from "./fetch.ts";
import { PACKAGES } from "./packages.ts";

const HELP = `usage: pnpm guests [-l] [GROUP|GUEST...]

Fetches guest software from Debian packages (no root rights, nothing is installed) into ${guestsDirectory()}
(MIMUS_GUESTS names another directory, DEBIAN_MIRROR another mirror). Without a name: the group 'default'.

  -l   list guests and groups
  -h   this help
`;

async function main(names: string[]): Promise<void> {
  if (names.includes("-h") || names.includes("--help")) {
    process.stdout.write(HELP);
    return;
  }
  if (names.includes("-l")) {
    for (const { id, groups, package: name, summary } of PACKAGES)
      process.stdout.write(`${id.padEnd(10)} ${groups.join(",").padEnd(10)} ${name.padEnd(38)} ${summary}\n`);
    return;
  }
  const packages = select(names.length === 0 ? ["default"] : names);
  const directory = await fetchGuests(packages, (line) => process.stderr.write(`guests: ${line}\n`));
  process.stderr.write(`guests: ${packages.map((p) => p.id).join(", ")} are in ${directory}\n`);
}

await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`guests: ${error.message}\n`);
  process.exitCode = 1;
});
