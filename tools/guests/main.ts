import { fetchGuests, guestsDirectory, select } from "./fetch.ts";
import { PACKAGES, TREES } from "./packages.ts";

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
      process.stdout.write(`${id.padEnd(15)} ${groups.join(",").padEnd(10)} ${name.padEnd(38)} ${summary}\n`);
    for (const { id, groups, packages, summary } of TREES)
      process.stdout.write(
        `${id.padEnd(15)} ${groups.join(",").padEnd(10)} ${`${packages.length} packages`.padEnd(38)} ${summary}\n`,
      );
    return;
  }
  const guests = select(names.length === 0 ? ["default"] : names);
  const directory = await fetchGuests(guests, (line) => process.stderr.write(`guests: ${line}\n`));
  process.stderr.write(`guests: ${guests.map((p) => p.id).join(", ")} are in ${directory}\n`);
}

await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`guests: ${error.message}\n`);
  process.exitCode = 1;
});
