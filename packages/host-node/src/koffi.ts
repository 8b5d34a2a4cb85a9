import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Calls of C libraries. */
export type Koffi = typeof import("koffi");

/**
 * The package koffi. Its own entry looks for its library in many places, 15 ms of a cold start; the package of this platform
 * is that library. @throws when it is not installed
 */
export function loadKoffi(): Koffi {
  const near = nearLibrary();
  try {
    if (near !== undefined) return loadLibrary(near);
  } catch {
    // With another C library than glibc it cannot be loaded: koffi's own entry has others.
  }
  // From this package, and not from the file of a program that these lines may have been built into.
  const own = createRequire(import.meta.url).resolve("@mimus/host-node/package.json");
  return createRequire(own)("koffi") as Koffi;
}

/** Where nearly every package manager puts the library: to ask Node takes 2 ms. */
function nearLibrary(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const own = packageFolder(here, "@mimus/host-node") ?? here;
  const koffi = packageFolder(own, "koffi");
  const { platform, arch } = process;
  const library = koffi && packageFolder(koffi, `@koromix/koffi-${platform}-${arch}`);
  return library && join(library, `${platform}_${arch}/koffi.node`);
}

/** The real folder of a package for modules in `from`: in the nearest `node_modules` that has it. */
function packageFolder(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(found)) return realpathSync.native(found);
    if (folder === dirname(folder)) return undefined;
  }
}

/** What `require` does; but where modules have hooks, that reads the 2 MiB as text first. */
function loadLibrary(path: string): Koffi {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Koffi;
}
