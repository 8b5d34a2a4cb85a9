const FLAG = "experimental-wasm-branch-hinting";
/** Set when hints are read. Of the process: what loads a built command has a copy of this file, and so has the command. */
const READING = Symbol.for("@mimus/cli reads branch hints");
const shared = globalThis as unknown as Record<symbol, boolean | undefined>;

/**
 * Lets V8 13 read which branches of generated code are rare; later versions do without being asked (ADR 0011). It holds for what is compiled from
 * now on. Call it late: what Node's own modules are compiled to is for the flags that Node began with, and those loaded behind this are compiled
 * again, 20 to 50 ms of a cold start. Who names the option on Node's command line is left alone.
 */
export function readBranchHints(): void {
  if (!process.versions.v8.startsWith("13.")) return;
  if (process.execArgv.some((flag) => flag.includes("wasm-branch-hinting"))) return;
  setFlag(`--${FLAG}`);
  shared[READING] = true;
}

/** Does `act` with the flags that Node began with: V8 takes compiled code of other flags for that of another program. */
export function atStartFlags<T>(act: () => T): T {
  if (shared[READING] !== true) return act();
  setFlag(`--no-${FLAG}`);
  try {
    return act();
  } finally {
    setFlag(`--${FLAG}`);
  }
}

const setFlag = (flag: string): void => process.getBuiltinModule("node:v8").setFlagsFromString(flag);
