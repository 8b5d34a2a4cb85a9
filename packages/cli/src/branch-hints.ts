/**
 * Lets V8 13 read which branches of generated code are rare; later versions do without being asked (ADR 0011). It holds for what is compiled from
 * now on. Who names the option on Node's command line is left alone.
 */
export function readBranchHints(): void {
  if (!process.versions.v8.startsWith("13.")) return;
  if (process.execArgv.some((flag) => flag.includes("wasm-branch-hinting"))) return;
  process.getBuiltinModule("node:v8").setFlagsFromString("--experimental-wasm-branch-hinting");
}
