/** The guide `docs/write-a-device.md` does what it says: its listings are a package whose tests pass, and its session is what a machine answers. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Console } from "../lib/console.ts";
import { runMimus, startMimus } from "../lib/mimus.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/write-a-device.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "mimus-dice-"));
afterAll(async () => {
  await Console.endAll();
  rmSync(folder, { recursive: true });
});

const files = [...page.matchAll(/^```(?:ts|json) (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = "", text = ""]) => ({
  name,
  text,
}));
for (const { name, text } of files) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
// In place of `npm install`.
symlinkSync(join(root, "conformance/node_modules"), join(folder, "node_modules"));

describe("the package of the guide passes its own tests", async () => {
  expect(files.map(({ name }) => name)).toEqual([
    ...["package.json", "src/dice.ts", "src/acme-dice.ts", "src/index.ts", "src/dice.test.ts"],
  ]);
  await import(join(folder, "src/dice.test.ts"));
});

describe("the command", { timeout: 120_000 }, () => {
  it("finds the device's properties", () => {
    const { status, stdout } = runMimus(["system-riscv64", "-plugin", folder, "-device", "acme-dice,help"]);
    expect(stdout).toMatch(/^acme-dice options:\n[^]*loaded=<bool> +- it always shows six \(default: off\)/);
    expect(status).toBe(0);
  });

  it("answers the guide's session", async () => {
    const [, options = "", session = ""] = /^```qtest (.+)\n([\s\S]*?)^```$/m.exec(page) ?? [];
    const machine = startMimus([
      ...["system-riscv64", "-accel", "qtest", "-qtest", "stdio", "-display", "none", "-plugin", folder],
      ...options.split(" "),
    ]);
    const lines = session.trimEnd().split("\n");
    for (const line of lines)
      if (line.startsWith("> ")) await machine.type(`${line.slice(2)}\n`);
      else await machine.waitFor(`${line}\n`, 60_000);
    const answers = lines.filter((line) => !line.startsWith("> "));
    expect(answers).toHaveLength(4);
    expect(machine.log.trimEnd().split("\n")).toEqual(answers);
  });
});
