/**
 * Lets V8 13 read which branches of generated code are rare; later versions do without being asked (ADR 0011). It holds for what is compiled from
 * now on. Call it late: what Node's own modules are compiled to is for the flags that Node began with, and those loaded behind this are compiled
 * again, 20 to 50 ms of a cold start. Who names the option on Node's command line is left alone.
 */
export function readBranchHints(): void {
  if (!process.versions.v8.startsWith("13.")) return;
  if (process.execArgv.some((flag) => flag.includes("wasm-branch-hinting"))) return;
  process.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-branch-hinting");
}
