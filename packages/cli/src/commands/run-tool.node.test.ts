import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

const main = join(import.meta.dirname, "../../dist/main.js");
const MIB = 1 << 20;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mimus-tool-"));
  writeFileSync(join(folder, "raw"), new Uint8Array(MIB));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(
  args: readonly string[],
  how: { node?: string[]; env?: object; input?: string } = {},
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [...(how.node ?? []), main, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: "", NODE_COMPILE_CACHE: join(folder, "cache"), ...how.env },
    encoding: "utf8",
    maxBuffer: 64 * MIB,
    ...(how.input === undefined ? {} : { input: how.input }),
  });
}

// From sources the command has flags of Node, and ends as every other program.
describe.skipIf(!existsSync(main))("a built tool's end (needs 'pnpm build')", () => {
  it.each([
    [0, ["img", "info", "-f", "raw", "raw"]],
    [1, ["img", "info", "-f", "qcow2", "raw"]],
    [63, ["img", "check", "-f", "raw", "raw"]],
    [1, ["img", "compare", "-f", "raw", "-F", "raw", "raw", "other"]],
  ])("has status %d: %j", (status, args) => {
    writeFileSync(join(folder, "other"), new Uint8Array(MIB).fill(1));
    // The first run has modules to compile, the second takes them.
    for (let n = 0; n < 2; n++) expect([run(args).status, n]).toEqual([status, n]);
  });

  it("comes when a pipe has all that was written", () => {
    const { status, stdout } = run(["io", "-f", "raw", "-c", "read -v 0 1M", "raw"]);
    expect(status).toBe(0);
    expect(stdout.split("\n").filter((line) => /^[\da-f]{8}: /.test(line))).toHaveLength(MIB / 16);
    expect(stdout).toMatch(/ops\/sec\)\n$/);
  });

  it("is in order when Node reads what is typed", () => {
    const { status, stdout } = run(["io", "-f", "raw", "raw"], { input: "length\nquit\n" });
    expect([status, stdout]).toEqual([0, expect.stringContaining("1 MiB")]);
  });

  it.each([
    ["flags", { node: ["--cpu-prof", "--cpu-prof-dir=profile"] }],
    ["NODE_OPTIONS", { env: { NODE_OPTIONS: "--cpu-prof --cpu-prof-dir=profile" } }],
  ])("leaves the profile that %s ask for", (_name, how) => {
    expect(run(["img", "info", "-f", "raw", "raw"], how).status).toBe(0);
    expect(globSync("profile/*.cpuprofile", { cwd: folder })).toHaveLength(1);
  });
});
