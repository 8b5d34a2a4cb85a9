import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Declarations of every package, as the compiler prints them, in a folder of their own. */
export interface Declarations extends Disposable {
  /** Holds `packages/NAME/src/FILE.d.ts` for `packages/NAME/src/FILE.ts`. */
  readonly dir: string;
}

/**
 * Has the compiler print the declarations of all packages of the workspace in `root`. It does not check them: that is what `pnpm typecheck` is for.
 * The compiler's own command is asked, since version 7 has no stable programmatic interface.
 * @throws Error when the compiler cannot print one, with what it said.
 */
export function emitDeclarations(root: string): Declarations {
  const dir = mkdtempSync(join(tmpdir(), "mimus-api-"));
  const remove = (): void => rmSync(dir, { recursive: true, force: true });
  const config = join(dir, "tsconfig.json");
  const compilerOptions = {
    composite: false,
    isolatedDeclarations: false,
    noCheck: true,
    lib: ["ESNext", "DOM", "DOM.Iterable"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    rootDir: root,
    outDir: dir,
  };
  const include = [join(root, "packages/*/src")];
  const exclude = ["**/*.test.ts", join(root, "packages/cli"), join(root, "packages/web")];
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(import.meta.dirname, "../../tsconfig.base.json"),
      compilerOptions,
      include,
      exclude,
    }),
  );
  const tsc = join(import.meta.dirname, "../../node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", config], { encoding: "utf8" });
  if (status !== 0) {
    remove();
    throw new Error(`The declarations cannot be printed: ${stdout}${stderr}`);
  }
  return { dir, [Symbol.dispose]: remove };
}
