import type { PluginReport } from "@mimus/qom";

import { discover } from "../discover.ts";
import { UsageError } from "../errors.ts";

const HELP = `usage: mimus plugins [--all]
Lists the packages of the project that provide types, and what they provide.

  --all         also dependencies that are no plugins, and why
  -h, --help    show this help
`;

/** `mimus plugins`: the packages that were looked at, what they provide, and why others are not used. @returns the exit status */
export async function pluginsCommand(argv: readonly string[]): Promise<number> {
  const wrong = argv.find((option) => !["--all", "-h", "--help"].includes(option));
  if (wrong !== undefined) throw new UsageError(`plugins: unknown option '${wrong}'; 'mimus plugins -h' lists them`);
  if (argv.some((option) => option !== "--all")) {
    process.stdout.write(HELP);
    return 0;
  }
  const { project, reports } = await discover(process.cwd());
  const all = argv.includes("--all");
  process.stdout.write(`direct dependencies of ${project}:\n`);
  for (const report of reports)
    if (report.skipped === undefined || all || report.manifest !== undefined)
      process.stdout.write(`  ${line(report)}\n`);
  if (!all) process.stdout.write("--all also lists dependencies that are not plugins\n");
  return 0;
}

function line({ package: name, version, manifest, skipped }: PluginReport): string {
  const what = version === undefined ? name : `${name}@${version}`;
  if (skipped !== undefined) return `${what}: not used: ${skipped}`;
  const provides = Object.entries(manifest?.provides ?? {}).map(([kind, names]) => `${kind} ${names.join(" ")}`);
  return `${what}: ${provides.join("; ")}`;
}
