import { boot, coldStart, diskRead, type Row } from "./machine.ts";

const HELP = `usage: pnpm bench [cold-start] [boot] [disk] [--rounds N] [--json]

Runs ours and QEMU on the same work in the same run, in turn, and prints medians and ratios. Without a name: all of them.
Needs 'pnpm build', 'pnpm guests' and qemu-system-riscv64.
`;

async function main(argv: string[]): Promise<void> {
  if (argv.includes("-h") || argv.includes("--help")) {
    process.stdout.write(HELP);
    return;
  }
  const at = argv.indexOf("--rounds");
  const rounds = at < 0 ? 3 : Number(argv[at + 1]);
  const names = argv.filter((arg, i) => !arg.startsWith("-") && !(at >= 0 && i === at + 1));
  const unknown = names.find((name) => !["cold-start", "boot", "disk"].includes(name));
  if (unknown !== undefined || !(rounds >= 1)) throw new Error(`bad argument; ${HELP}`);
  const wanted = (name: string): boolean => names.length === 0 || names.includes(name);
  const rows: Row[] = [];
  if (wanted("cold-start")) rows.push(await coldStart(rounds));
  if (wanted("boot")) rows.push(...(await boot(rounds, 10)));
  if (wanted("disk")) rows.push(await diskRead(rounds, 256));
  if (argv.includes("--json")) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else for (const row of rows) process.stdout.write(`${line(row)}\n`);
}

function line({ what, unit, ours, peer, better, bar }: Row): string {
  const ratio = better === "less" ? ours / peer : peer / ours;
  const text = `${what.padEnd(40)} mimus ${figure(ours)} ${unit}, qemu ${figure(peer)} ${unit}: ${ratio.toFixed(2)} times qemu's`;
  return bar === undefined ? text : `${text} (bar: ${bar})`;
}

const figure = (value: number): string => value.toFixed(value < 10 ? 3 : 1);

await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
});
