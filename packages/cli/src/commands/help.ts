import { CharOptions } from "@mimus/chardev";
import { machineInfo } from "@mimus/machine-core";
import { describeSchema, didYouMean, helpText, optionsText, type Registry, type ResolvedType } from "@mimus/qom";

import type { GivenOption } from "../args/parse.ts";
import { DISPLAY_TYPES } from "../displays.ts";
import { UsageError } from "../errors.ts";
import { LOG_ITEMS } from "../logging.ts";
import { TCG_PARAMETERS } from "../tcg-options.ts";
import { findMachine, machinesFor } from "../machines.ts";

const isHelp = (text: string): boolean => text === "help" || text === "?";

/** Whether the options of an argument ask for help: `help`, `?`, or `NAME,help`. */
function asksHelp(value: string): { name?: string } | undefined {
  if (value.startsWith("{")) return undefined;
  const items = value.split(",");
  if (!items.some((item) => isHelp(item.replace(/^format=/, "")))) return undefined;
  const name = items.find((item) => !isHelp(item.replace(/^format=/, "")));
  return name === undefined ? {} : { name: name.replace(/^[a-z-]+=/, "") };
}

/** Answers the first option that asks for help. @returns the text, or undefined when none does */
export async function answerHelp(
  given: readonly GivenOption[],
  registry: Registry,
  target: string,
): Promise<string | undefined> {
  for (const { name, value } of given) {
    const asked = asksHelp(value);
    const answer = asked === undefined ? undefined : ANSWERS[name];
    if (asked !== undefined && answer !== undefined) return answer(registry, asked.name, target);
  }
  return undefined;
}

const ANSWERS: Readonly<
  Record<string, (registry: Registry, name: string | undefined, target: string) => Promise<string>>
> = {
  device: (registry, name) => (name === undefined ? listTypes(registry, "device") : typeHelp(registry, name, "device")),
  object: (registry, name) => (name === undefined ? listTypes(registry, "object") : typeHelp(registry, name, "object")),
  machine: machineHelp,
  cpu: cpuHelp,
  blockdev: (registry) => blockHelp(registry),
  drive: (registry) => blockHelp(registry),
  netdev: noNetwork,
  nic: noNetwork,
  net: noNetwork,
  accel: () =>
    Promise.resolve(list("Accelerators supported: tcg, qtest. Parameters of tcg:", Object.entries(TCG_PARAMETERS))),
  chardev: (_, name) => Promise.resolve(chardevHelp(name)),
  d: () => Promise.resolve(list("Log items (comma separated):", Object.entries(LOG_ITEMS))),
  vga: () => Promise.resolve(list("none                 no graphic card", [["std", "standard VGA (default)"]], 20)),
  display: () => Promise.resolve(list("Available display backend types:", Object.entries(DISPLAY_TYPES))),
  serial: () => Promise.resolve(chardevHelp()),
  parallel: () => Promise.resolve(chardevHelp()),
  monitor: () => Promise.resolve(chardevHelp()),
};

function noNetwork(): Promise<string> {
  return Promise.resolve("No network back end is installed.\n");
}

const list = (title: string, rows: Iterable<readonly [string, string]>, width = 28): string =>
  [title, ...Array.from(rows, ([name, text]) => `${name.padEnd(width)} ${text}`.trimEnd())].join("\n") + "\n";

/** Names come from the manifests alone: nothing is imported. */
async function listTypes(registry: Registry, kind: string): Promise<string> {
  const rows = registry
    .known(kind)
    .filter(({ type }) => type === undefined || (type.userCreatable && !type.abstract))
    .map(
      ({ name, alias, package: from }) =>
        [`name "${name}"${alias === undefined ? "" : `, alias "${alias}"`}`, `(${from})`] as const,
    );
  return list(
    kind === "device"
      ? "Devices of the installed packages ('-device NAME,help' shows properties):"
      : "Objects of the installed packages:",
    rows,
    52,
  );
}

async function typeHelp(registry: Registry, name: string, kind: string): Promise<string> {
  return helpText(await registry.ensure(name, kind));
}

async function machineHelp(registry: Registry, name: string | undefined, target: string): Promise<string> {
  if (name !== undefined) return helpText(await findMachine(registry, name, target));
  const rows = (await machinesFor(registry, target)).flatMap((type) => {
    const { aliases = [], isDefault } = machineInfo(type);
    const own = [type.name, `${type.summary}${isDefault === true ? " (default)" : ""}`] as const;
    return [own, ...aliases.map((alias) => [alias, `${type.summary} (alias of ${type.name})`] as const)];
  });
  return list("Supported machines are:", rows);
}

async function cpuHelp(registry: Registry, name: string | undefined, target: string): Promise<string> {
  const models: [string, ResolvedType][] = [];
  for (const known of registry.known("cpu")) {
    const type = await registry.ensure(known.name, "cpu");
    const info = type.class["cpu"] as { model: string; targets: readonly string[] } | undefined;
    if (info !== undefined && !type.abstract && info.targets.includes(target)) models.push([info.model, type]);
  }
  const wanted = models.find(([model, type]) => name === model || name === type.name);
  if (wanted !== undefined) return helpText(wanted[1]);
  if (name !== undefined)
    throw new UsageError(
      `-cpu ${name},help: no such model${didYouMean(
        name,
        models.map(([model]) => model),
      )}; '-cpu help' lists them`,
    );
  const family = target === "x86_64" || target === "i386" ? "x86 " : "";
  // Those with everything and with nothing come last.
  const rank = (model: string): string => `${["max", "base"].indexOf(model) + 1}${model}`;
  const rows = models
    .map(([model, { summary }]) => ({ model, summary }))
    .toSorted((a, b) => (rank(a.model) < rank(b.model) ? -1 : 1))
    .map(({ model, summary }) => `${family}${model.padEnd(20)}  ${summary}`.trimEnd());
  return `${["Available CPUs:", ...rows, "", "'-cpu NAME,help' shows properties."].join("\n")}\n`;
}

async function blockHelp(registry: Registry): Promise<string> {
  const rows = [...registry.known("block-format"), ...registry.known("block-protocol")].map(
    ({ name, kind, package: from }) => [name, `${kind.replace("block-", "")} (${from})`] as const,
  );
  return list("Block drivers:", rows);
}

function chardevHelp(name?: string): string {
  if (name === undefined)
    return list(
      "Available chardev backend types:",
      Object.entries(CharOptions).map(([type, options]) => [`  ${type}`, options.description ?? ""] as const),
    );
  const schema = Object.hasOwn(CharOptions, name) ? CharOptions[name as keyof typeof CharOptions] : undefined;
  if (schema === undefined)
    throw new UsageError(`-chardev ${name},help: no such back end; there are: ${Object.keys(CharOptions).join(", ")}`);
  return optionsText(name, describeSchema(schema));
}
