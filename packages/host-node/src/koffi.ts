import { createRequire } from "node:module";

/** Calls of C libraries. */
export type Koffi = typeof import("koffi");

/**
 * The package koffi. Its own entry looks for its library in many places, 15 ms of a cold start; the package of this platform
 * is that library. @throws when it is not installed
 */
export function loadKoffi(): Koffi {
  // From this package, and not from the file of a program that these lines may have been built into.
  const own = createRequire(import.meta.url).resolve("@mimus/host-node/package.json");
  const entry = createRequire(own).resolve("koffi");
  const { platform, arch } = process;
  try {
    // Past a search for the C library in this program: with another one than glibc it cannot be loaded.
    const library = `@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`;
    return loadLibrary(createRequire(entry).resolve(library));
  } catch {
    return createRequire(entry)(entry) as Koffi;
  }
}

/** What `require` does; but where modules have hooks, that reads the 2 MiB as text first. */
function loadLibrary(path: string): Koffi {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports as Koffi;
}
