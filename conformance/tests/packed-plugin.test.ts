import { afterAll, beforeAll, expect, it } from "vitest";

import { PackedProject } from "../lib/packed.ts";

const project = new PackedProject();

beforeAll(() => {
  project.install("packages/bits", "packages/qom", "packages/machine-core", "plugins/dev-lcd");
  for (const name of ["zod", "eventemitter3"]) project.link(name, "packages/qom");
}, 300_000);
afterAll(() => project.remove());

it("finds, loads and runs a plugin from a packed tarball outside the workspace", () => {
  const out = project.run(
    `import { ClockSet, Machine, MachineMemory } from "@mimus/machine-core";
     import { indexPlugins, Registry } from "@mimus/qom";
     import { readFileSync } from "node:fs";
     import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     const readJson = async (specifier) => JSON.parse(readFileSync(require.resolve(specifier), "utf8"));
     const registry = new Registry();
     registry.setIndex(await indexPlugins(await readJson("./package.json"), readJson), async (p) => (await import(p)).default);
     await registry.ensure("acme-lcd", "device");
     const memory = new MachineMemory(new ArrayBuffer(1 << 20));
     const machine = new Machine({ registry, memory, clocks: new ClockSet(() => 0) });
     const lcd = machine.createDevice("acme-lcd", { columns: "8" }, { id: "lcd0", realize: true });
     machine.system.root.add(0x1000, lcd.regions[0]);
     machine.system.write(0x1000, 1, 0x0c);
     for (const c of "Hello") machine.system.write(0x1001, 1, c.charCodeAt(0));
     console.log(JSON.stringify([registry.known("device"), lcd.getProperty("text")], ["name", "package"]));
     console.log(lcd.getProperty("text"));`,
  );
  expect(out).toContain('{"name":"acme-lcd","package":"@mimus-example/dev-lcd"}');
  expect(out).toContain("Hello   \n");
});
