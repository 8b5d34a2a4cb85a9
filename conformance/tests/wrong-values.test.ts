/** Wrong values for every property of every installed type that a user names: each is refused with the property, the value and what would be right. */
import { readFileSync } from "node:fs";
import { corePlugin } from "@mimus/machine-core";
import { describeProps, parseProps, type Plugin, Registry, type ResolvedType } from "@mimus/qom";
import { expect, it } from "vitest";

/** Of the workspace's packages those that are programs. */
const NO_PLUGIN: ReadonlySet<string> = new Set(["@mimus/cli", "@mimus/web"]);

/** The packages that the command finds in this workspace, loaded. */
async function everything(): Promise<Registry> {
  const registry = new Registry().use(corePlugin);
  const { devDependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  for (const name of Object.keys(devDependencies)) {
    if (!name.startsWith("@mimus/") || NO_PLUGIN.has(name)) continue;
    const { default: plugin } = (await import(/* @vite-ignore */ name)) as { default?: Plugin };
    if (Array.isArray(plugin?.types)) registry.use(plugin);
  }
  return registry;
}

/** By the type that help names, what none of its properties may take. */
const WRONG: readonly [type: RegExp, values: readonly string[]][] = [
  [/^u?int\d*\b/, ["", "text", "1.5", "0x", "18446744073709551616"]],
  [/^uint8$/, ["-1", "256"]],
  [/^uint16$/, ["-1", "65536"]],
  [/^uint32$/, ["-1", "4294967296"]],
  [/^int32$/, ["2147483648"]],
  [/^size$/, ["", "text", "-1", "1.5", "1X", "18446744073709551616"]],
  [/^bool$/, ["", "maybe", "1", "ON"]],
  [/^OnOffAuto$/, ["", "maybe", "1"]],
  [/^\w+(?:\|\w+)+$/, ["", "nonsense"]],
];

/** `type.property=value` of all that is taken, or refused without saying what is wrong. */
function takenBy(type: ResolvedType): string[] {
  return describeProps(type).flatMap(({ name, type: kind }) =>
    WRONG.filter(([of]) => of.test(kind))
      .flatMap(([, values]) => values)
      // The place of a PCI device is a slot and a function.
      .filter((value) => !(name === "addr" && value === "1.5"))
      .filter((value) => !/property '[^']*' is '/.test(complaintOf(type, name, value)))
      .map((value) => `${type.name}.${name}=${value}`),
  );
}

function complaintOf(type: ResolvedType, name: string, value: string): string {
  try {
    parseProps(type, { [name]: value });
    return "";
  } catch (error) {
    const said = (error as Error).message;
    return said.includes(`property '${name}' is '${value}'; expected `) ? said : "";
  }
}

it("a wrong value is refused by every device, object, machine and processor", async () => {
  const registry = await everything();
  const checked: Record<string, number> = {};
  for (const kind of ["device", "object", "machine", "cpu"]) {
    // All processors of one instruction set have the same properties.
    const types = registry
      .list({ kind, concrete: true })
      .filter(({ name }) => kind !== "cpu" || /^(?:max|rv)/.test(name));
    expect(types.flatMap(takenBy)).toEqual([]);
    checked[kind] = types.reduce((sum, type) => sum + describeProps(type).length, 0);
  }
  expect(checked["device"], "properties that were looked at").toBeGreaterThan(1000);
  expect(checked["machine"]).toBeGreaterThan(20);
  expect(checked["cpu"]).toBeGreaterThan(100);
});
