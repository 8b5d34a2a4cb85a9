import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { MIMUS } from "../lib/mimus.ts";

// The whole way of a third party's user: tarballs as they would be published, npm install, the command. Needs 'pnpm build' and a registry
// (for zod, eventemitter3, koffi).

const root = join(import.meta.dirname, "../..");
const app = mkdtempSync(join(tmpdir(), "mimus-installed-"));
const PLUGIN = "@mimus-example/dev-lcd";
const MINUTES = 60_000;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const packages: ReadonlyMap<string, { readonly dir: string; readonly json: Manifest }> = new Map(
  globSync(["packages/*/package.json", "plugins/*/package.json"], { cwd: root }).map((path) => {
    const json = JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest;
    return [json.name, { dir: join(root, dirname(path)), json }];
  }),
);

/** A package with everything of this repository that it needs. */
function closure(name: string, into: Set<string> = new Set()): Set<string> {
  const found = packages.get(name);
  if (found === undefined || into.has(name)) return into;
  into.add(name);
  for (const other of Object.keys({ ...found.json.dependencies, ...found.json.peerDependencies })) closure(other, into);
  return into;
}

describe.skipIf(!existsSync(MIMUS))("installed from tarballs (needs 'pnpm build')", () => {
  beforeAll(() => {
    const parts = [...packages.keys()].filter((name) => /^@mimus\/(dev|bus|hw|target)-/.test(name));
    const wanted = [PLUGIN, "@mimus/cli", ...parts].reduce((all, name) => closure(name, all), new Set<string>());
    const dependencies: Record<string, string> = {};
    for (const name of wanted) {
      const dir = packages.get(name)?.dir ?? "";
      const { filename } = JSON.parse(
        execFileSync("pnpm", ["pack", "--json", "--pack-destination", app], {
          cwd: dir,
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        }),
      ) as { filename: string };
      dependencies[name] = `file:${filename}`;
    }
    writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, dependencies }));
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: app, stdio: "pipe" });
  }, 5 * MINUTES);
  afterAll(() => {
    Console.killAll();
    rmSync(app, { recursive: true, force: true });
  });

  const mimus = (...args: string[]): Console =>
    new Console(join(app, "node_modules/.bin/mimus-system-riscv64"), args, { cwd: app });

  test("-device help lists the plugin's device beside the machine's", async () => {
    const command = mimus("-device", "help");
    expect(await command.exit(MINUTES)).toBe(0);
    expect(command.log).toContain('name "acme-lcd"');
    expect(command.log).toContain('name "virtio-blk-device"');
  });

  test("the device is on the machine's bus, and its registers answer", { timeout: 2 * MINUTES }, async () => {
    const machine = mimus(
      ...["-M", "virt", "-accel", "qtest", "-qtest", "stdio", "-display", "none"],
      ...["-device", "acme-lcd", "-device", "acme-lcd,addr=0x10200000,regshift=2"],
    );
    const ask = async (line: string, answer: string): Promise<void> => {
      await machine.type(`${line}\n`);
      await machine.waitFor(answer, MINUTES);
    };
    // Display on, then a character; the address counter moves.
    for (const [instructions, data] of [
      ["0x4000000", "0x4000001"],
      ["0x10200000", "0x10200004"],
    ]) {
      await ask(`writeb ${instructions} 0x0c`, "OK");
      await ask(`writeb ${instructions} 0x80`, "OK");
      await ask(`writeb ${data} 0x41`, "OK");
      await ask(`readb ${instructions}`, "OK 0x0000000000000001");
      await ask(`writeb ${instructions} 0x80`, "OK");
      await ask(`readb ${data}`, "OK 0x0000000000000041");
    }
  });
});
