import { createRequire } from "node:module";

/** Calls of C libraries. */
export type Koffi = typeof import("koffi");

/**
 * The package koffi. Its own entry looks for its library in many places, 15 ms of a cold start; the package of this platform
 * is that library. @throws when it is not installed
 */
export function loadKoffi(): Koffi {
  const require = createRequire(import.meta.url);
  const entry = require.resolve("koffi");
  try {
    return createRequire(entry)(`@koromix/koffi-${process.platform}-${process.arch}`) as Koffi;
  } catch {
    return require(entry) as Koffi;
  }
}
