/** A project outside of the workspace, with packages as they would be published. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "node_modules", ".bin");

/** An empty project that packed packages are unpacked into. */
export class PackedProject {
  readonly folder: string = mkdtempSync(join(tmpdir(), "mimus-packed-"));
  readonly #names: string[] = [];

  /** Packs the package in a folder of the workspace, such as "packages/qom", and unpacks it into node_modules. @returns its name */
  install(dir: string): string {
    const copy = join(this.folder, "work", dir);
    cpSync(join(root, dir), copy, { recursive: true, filter: (path) => !/node_modules|dist/.test(path) });
    const json = JSON.parse(readFileSync(join(copy, "package.json"), "utf8")) as {
      name: string;
      exports: unknown;
      publishConfig: { exports: unknown };
    };
    const build = ["--config", join(root, "tsup.config.ts"), "--no-dts", "--out-dir", join(copy, "dist")];
    execFileSync(join(bin, "tsup"), build, { cwd: join(root, dir), stdio: "pipe" });
    writeFileSync(join(copy, "package.json"), JSON.stringify({ ...json, exports: json.publishConfig.exports }));
    const [{ filename }] = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--ignore-scripts"], {
        cwd: copy,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    ) as [{ filename: string }];
    const target = join(this.folder, "node_modules", json.name);
    mkdirSync(target, { recursive: true });
    execFileSync("tar", ["xzf", join(copy, filename), "-C", target, "--strip-components=1"]);
    this.#names.push(json.name);
    return json.name;
  }

  /** Links a library that a package of the workspace has. */
  link(name: string, from: string): void {
    const to = join(this.folder, "node_modules", name);
    mkdirSync(dirname(to), { recursive: true });
    symlinkSync(join(root, from, "node_modules", name), to);
  }

  /** Puts a file into the project. */
  add(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), content);
  }

  /** Runs a module in the project; what was installed are its dependencies. @returns what it prints. @throws when it fails */
  run(source: string): string {
    const dependencies = Object.fromEntries(this.#names.map((n) => [n, "*"]));
    writeFileSync(join(this.folder, "package.json"), JSON.stringify({ name: "app", type: "module", dependencies }));
    writeFileSync(join(this.folder, "app.mjs"), source);
    return execFileSync(process.execPath, ["app.mjs"], { cwd: this.folder, encoding: "utf8" });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
