import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const app = mkdtempSync(join(tmpdir(), "mimus-packed-"));
const PACKED = ["packages/bits", "packages/qom", "packages/machine-core", "plugins/dev-lcd"];
const bin = join(root, "node_modules", ".bin");

/** Packs a package as it would be published and unpacks it into the project's node_modules. */
function install(dir: string): string {
  const copy = join(app, "work", dir);
  cpSync(join(root, dir), copy, { recursive: true, filter: (path) => !/node_modules|dist/.test(path) });
  const json = JSON.parse(readFileSync(join(copy, "package.json"), "utf8")) as {
    name: string;
    exports: unknown;
    publishConfig: { exports: unknown };
  };
  execFileSync(join(bin, "tsup"), ["--config", join(root, "tsup.config.ts"), "--out-dir", join(copy, "dist")], {
    cwd: join(root, dir),
    stdio: "pipe",
  });
  writeFileSync(join(copy, "package.json"), JSON.stringify({ ...json, exports: json.publishConfig.exports }));
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts"], {
      cwd: copy,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  ) as [{ filename: string }];
  const target = join(app, "node_modules", json.name);
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["xzf", join(copy, filename), "-C", target, "--strip-components=1"]);
  return json.name;
}

beforeAll(() => {
  const names = PACKED.map(install);
  for (const name of ["zod", "eventemitter3"]) {
    const from = join(root, "packages/qom/node_modules", name);
    mkdirSync(dirname(join(app, "node_modules", name)), { recursive: true });
    symlinkSync(from, join(app, "node_modules", name));
  }
  const dependencies = Object.fromEntries(names.map((n) => [n, "*"]));
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", type: "module", dependencies }));
}, 60_000);
afterAll(() => rmSync(app, { recursive: true, force: true }));

it("finds, loads and runs a plugin from a packed tarball outside the workspace", () => {
  writeFileSync(
    join(app, "app.mjs"),
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
  const out = execFileSync(process.execPath, ["app.mjs"], { cwd: app, encoding: "utf8" });
  expect(out).toContain('{"name":"acme-lcd","package":"@mimus-example/dev-lcd"}');
  expect(out).toContain("Hello   \n");
});
