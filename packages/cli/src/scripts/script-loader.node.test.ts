import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { CodeStore } from "./code-store.ts";
import { ScriptLoader } from "./script-loader.ts";

const packages = join(import.meta.dirname, "../../..");
const zod = join(packages, "cli/dist/zod.js");
/** Modules that commands load: no parts of pages, no bodies of threads, and not what is started by Node itself. */
const built = globSync("*/dist/{index,tool,run,run-server,program,disk,vcpu,sse,x87,user/index,user}.js", {
  cwd: packages,
})
  .filter((path) => !/^(?:web|host-web|testkit)\//.test(path))
  .map((path) => join(packages, path));

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mimus-scripts-"));
  vi.stubEnv("NODE_COMPILE_CACHE", folder);
  // The runner of these tests sets it.
  vi.stubEnv("NODE_DISABLE_COMPILE_CACHE", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const loader = (store: CodeStore): ScriptLoader => new ScriptLoader(store, zod, () => {});
function stored(): string[] {
  const [cache = ""] = globSync("mimus-code-*", { cwd: folder });
  return readdirSync(join(folder, cache)).map((name) => join(folder, cache, name));
}

const isBuilt = existsSync(join(packages, "cli/dist/program.js"));

describe.skipIf(!isBuilt)("built modules (needs 'pnpm build')", () => {
  it("export the same names as scripts and as modules", { timeout: 300_000 }, async () => {
    expect(built.length).toBeGreaterThan(60);
    const scripts = loader(new CodeStore("test", folder));
    for (const file of built) {
      const module = (await import(pathToFileURL(file).href)) as object;
      expect([file, Object.keys(scripts.load(file)).toSorted()]).toEqual([file, Object.keys(module).toSorted()]);
    }
  });
});

describe.skipIf(!isBuilt)("built commands (need 'pnpm build')", () => {
  const main = join(packages, "cli/dist/main.js");
  const env = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_COMPILE_CACHE: folder, NODE_OPTIONS: "" });

  it.each([
    ["a tool", ["img", "create", "-f", "qcow2", "made.qcow2", "1M"], ""],
    ["a machine", "system-riscv64 -M virt -bios none -display none -monitor stdio".split(" "), "quit\n"],
    ["a program's machine", ["riscv64", "-cpu", "help"], ""],
  ])("%s takes what an earlier run compiled, and has nothing to add", (_name, args, input) => {
    const run = (): string[] => {
      const { status, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, env: env(), input });
      expect([status, stderr.toString()]).toEqual([0, ""]);
      return stored().map((path) => `${path} ${statSync(path).ino}`);
    };
    const first = run();
    expect(first).toHaveLength(1);
    expect(run()).toEqual(first);
  });

  it.each([["imgg"], ["img", "chek"]])("%s %s, which fails, leaves nothing", (...args) => {
    const { status } = spawnSync(process.execPath, [main, ...args], { cwd: folder, env: env() });
    expect(status).not.toBe(0);
    expect(stored()).toEqual([]);
  });
});

/** A package of this project with one module. @returns the module's file */
function madePackage(text: string): string {
  mkdirSync(join(folder, "made"), { recursive: true });
  writeFileSync(join(folder, "made/package.json"), '{ "name": "@mimus/made", "type": "module" }');
  const file = join(folder, "made/index.js");
  writeFileSync(file, text);
  return file;
}

describe("what was compiled", () => {
  it("is kept for the next run, and taken for the same file only", () => {
    const file = madePackage("var a = 1;\nexport { a };");
    const first = new CodeStore("test", folder);
    expect(loader(first).load(file)).toEqual({ a: 1 });
    first.save();
    expect(stored()).toHaveLength(1);

    const second = new CodeStore("test", folder);
    expect(second.script(file).cachedDataRejected).toBe(false);

    // As long as before: V8 itself tells sources by their length.
    writeFileSync(file, "var a = 2;\nexport { a };");
    const third = new CodeStore("test", folder);
    expect(third.script(file).cachedDataRejected).toBeUndefined();
    expect(loader(third).load(file)).toEqual({ a: 2 });
  });

  it("is not taken from a file that others can write, nor from one that is cut short", () => {
    const file = madePackage("var a = 1;\nexport { a };");
    const first = new CodeStore("test", folder);
    loader(first).load(file);
    first.save();
    const [path = ""] = stored();
    chmodSync(path, 0o666);
    expect(new CodeStore("test", folder).script(file).cachedDataRejected).toBeUndefined();
    chmodSync(path, 0o600);
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 4)) {
      writeFileSync(path, whole.subarray(0, length));
      expect(loader(new CodeStore("test", folder)).load(file)).toEqual({ a: 1 });
    }
  });

  it("is neither kept in a folder that others can write, nor taken from one", () => {
    const file = madePackage("var a = 1;\nexport { a };");
    const first = new CodeStore("test", folder);
    loader(first).load(file);
    first.save();
    const [path = ""] = stored();
    chmodSync(dirname(path), 0o777);
    expect(new CodeStore("test", folder).script(file).cachedDataRejected).toBeUndefined();
    rmSync(path);
    const second = new CodeStore("test", folder);
    loader(second).load(file);
    second.save();
    expect(stored()).toEqual([]);
  });

  it("is kept nowhere when Node is told to keep nothing", () => {
    vi.stubEnv("NODE_DISABLE_COMPILE_CACHE", "1");
    const store = new CodeStore("test", folder);
    expect(loader(store).load(madePackage("var a = 1;\nexport { a };"))).toEqual({ a: 1 });
    store.save();
    expect(readdirSync(folder)).toEqual(["made"]);
  });
});

describe("a module's errors", () => {
  it("are thrown each time that it is asked for, and name its lines", () => {
    const file = madePackage("var a = 1;\nthrow new Error(`no ${a}`);");
    const scripts = loader(new CodeStore("test", folder));
    for (let n = 0; n < 2; n++) expect(() => scripts.load(file)).toThrow("no 1");
    try {
      scripts.load(file);
    } catch (error) {
      expect((error as Error).stack).toContain(`${file}:2:7`);
    }
  });
});
