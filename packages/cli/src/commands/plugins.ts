import { discover } from "../discover.ts";

/** `mimus plugins`: the packages that were looked at, what they provide, and why others are not used. */
export async function pluginsCommand(argv: readonly string[]): Promise<number> {
  const { project, reports } = await discover(process.cwd());
  const all = argv.includes("--all");
  process.stdout.write(`direct dependencies of ${project}:\n`);
  for (const { package: name, version, manifest, skipped } of reports) {
    if (skipped !== undefined) {
      if (all || manifest !== undefined)
        process.stdout.write(`  ${name}${version === undefined ? "" : `@${version}`}: not used: ${skipped}\n`);
      continue;
    }
    const provides = Object.entries(manifest?.provides ?? {}).map(([kind, names]) => `${kind} ${names.join(" ")}`);
    process.stdout.write(`  ${name}@${version ?? "?"}: ${provides.join("; ")}\n`);
  }
  if (!all) process.stdout.write("--all also lists dependencies that are not plugins\n");
  return 0;
}
