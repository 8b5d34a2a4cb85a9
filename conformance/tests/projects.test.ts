import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { runMimus } from "../lib/mimus.ts";

const root = join(import.meta.dirname, "../..");
const app = mkdtempSync(join(tmpdir(), "mimus-project-"));

/** Packages of this repository that the project has not installed. */
const ABSENT = ["@mimus/dev-virtio"];

beforeAll(() => {
  mkdirSync(join(app, "node_modules/@mimus"), { recursive: true });
  const dependencies: Record<string, string> = {};
  for (const path of globSync("packages/*/package.json", { cwd: root })) {
    const { name, mimus } = JSON.parse(readFileSync(join(root, path), "utf8")) as { name: string; mimus?: unknown };
    if (mimus === undefined || ABSENT.includes(name)) continue;
    dependencies[name] = "*";
    symlinkSync(join(root, dirname(path)), join(app, "node_modules", name));
  }
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", dependencies }));
});
afterAll(() => rmSync(app, { recursive: true, force: true }));

const mimus = (...args: string[]): ReturnType<typeof runMimus> =>
  runMimus(["system-riscv64", ...args], { cwd: app, timeoutMs: 60_000 });

test("-device help lists what the project has installed, and nothing that users cannot create", () => {
  const { status, stdout } = mimus("-device", "help");
  expect(status).toBe(0);
  expect(stdout).toContain('name "pcie-root-port"');
  expect(stdout).not.toMatch(/"virtio-|"serial-mm"|"pci-device"|"gpex-pcihost"/);
});

test.each(["virtio-blk-device", "virtio-blk"])("-device %s answers with the package to install", (name) => {
  const { status, stderr } = mimus("-M", "virt", "-bios", "none", "-device", name);
  expect(status).toBe(1);
  expect(stderr).toBe(
    `mimus: device '${name}' is in package @mimus/dev-virtio; install it: npm install @mimus/dev-virtio\n`,
  );
});

test("aliases are listed and resolved", () => {
  const here = (...args: string[]): string => runMimus(["system-riscv64", ...args], { cwd: root }).stdout;
  expect(here("-device", "help")).toContain('name "virtio-blk-pci", alias "virtio-blk"');
  expect(here("-device", "virtio-blk,help")).toBe(here("-device", "virtio-blk-pci,help"));
});
