import type { Normaliser } from "./case.ts";

/** Addresses that a program prints. */
export const addresses: Normaliser = (text) => text.replaceAll(/0x[0-9a-f]{5,16}\b/g, "0xADDRESS");

/** Durations as CPython's test runner and unittest print them, and the load of the machine. */
export const durations: Normaliser = (text) =>
  text
    .replaceAll(/\b\d+(\.\d+)? ?(sec|ms|s)\b/g, "TIME")
    .replaceAll(/\b\d+ min TIME\b/g, "TIME")
    .replaceAll(" passed in TIME", " passed")
    .replaceAll(/^\d+:\d\d:\d\d (load avg: [\d.]+ )?/gm, "");

/** The kernel's release: QEMU shows the host's. */
export const release: Normaliser = (text) => text.replaceAll(/Linux-[\w.+-]+-riscv64/g, "Linux-RELEASE-riscv64");

/** Processors: a guest program has one, QEMU shows the host's. */
export const processors: Normaliser = (text) => text.replaceAll(/CPU count: .*/g, "CPU count: N");

/** Names of directories that carry a process number. */
export const workers: Normaliser = (text) => text.replaceAll(/test_python_(worker_)?\d+/g, "test_python_PID");

/** Lines in order: QEMU turns the environment around, Linux does not. */
export const sorted: Normaliser = (text) => text.split("\n").sort().join("\n");

/** SQLite's journals carry a random number. */
export const journals: Normaliser = (text) => text.replaceAll(/(-journal \d+ \d+ \d+) [0-9a-f]{16}/g, "$1 DIGEST");
