/** A project outside of the workspace, with packages as they would be published. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Builds packages in one process, each in its folder: the start of the builder takes longer than a build. Arguments: pairs of a folder and where to. */
const BUILD = `
import { build } from "tsup";
const config = process.cwd() + "/tsup.config.ts";
for (const [dir, outDir] of JSON.parse(process.argv[1])) {
  process.chdir(dir);
  await build({ config, dts: false, outDir, silent: true, esbuildOptions: (o) => void (o.absWorkingDir = dir) });
}
`;

/** An empty project that packed packages are unpacked into. */
export class PackedProject {
  readonly folder: string = mkdtempSync(join(tmpdir(), "mimus-packed-"));
  readonly #names: string[] = [];

  /** Packs the packages in folders of the workspace, such as "packages/qom", and unpacks them into node_modules. */
  install(...dirs: string[]): void {
    const work = join(this.folder, "work");
    for (const dir of dirs)
      cpSync(join(root, dir), join(work, dir), {
        recursive: true,
        filter: (path) => !/node_modules|dist/.test(path),
      });
    const built = dirs.map((dir) => [join(root, dir), join(work, dir, "dist")]);
    execFileSync(process.execPath, ["--input-type=module", "--eval", BUILD, JSON.stringify(built)], {
      cwd: root,
      stdio: "pipe",
    });
    for (const dir of dirs) {
      const path = join(work, dir, "package.json");
      const json = JSON.parse(readFileSync(path, "utf8")) as { publishConfig: { exports: unknown } };
      writeFileSync(path, JSON.stringify({ ...json, exports: json.publishConfig.exports }));
    }
    const packed = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--ignore-scripts", ...dirs.map((dir) => `./${dir}`)], {
        cwd: work,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    ) as { name: string; filename: string }[];
    for (const { name, filename } of packed) {
      const target = join(this.folder, "node_modules", name);
      mkdirSync(target, { recursive: true });
      execFileSync("tar", ["xzf", join(work, filename), "-C", target, "--strip-components=1"]);
      this.#names.push(name);
    }
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
