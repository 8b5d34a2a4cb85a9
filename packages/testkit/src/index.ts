export { Bench, BENCH_RAM, type BenchOptions } from "./bench.ts";
export { testDevice, type DeviceCheck, type TestDeviceOptions } from "./device.ts";
export { hostileStates } from "./hostile.ts";
export { checkManifest, testManifest } from "./manifest.ts";
export { offsetsOf, pokeRegisters } from "./poke.ts";
export { Seeded } from "./random.ts";
export * from "./target.ts";
