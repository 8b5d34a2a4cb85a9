export { Bench, BENCH_RAM, type BenchOptions } from "./bench.ts";
export { testDevice, type DeviceCheck, type TestDeviceOptions } from "./device.ts";
export { FlatMemory } from "./flat-memory.ts";
export { hostileStates } from "./hostile.ts";
export { checkManifest, testManifest } from "./manifest.ts";
export { offsetsOf, pokeRegisters } from "./poke.ts";
export { Seeded } from "./random.ts";
export * from "./target.ts";
export { pattern, readAll, type Refusal, refusals } from "./format/contents.ts";
export { type CutCounts, type CutRun, runCuts } from "./format/cuts.ts";
export { type DifferencingOptions, testDifferencing } from "./format/differencing.ts";
export { type FaultCounts, runFaults } from "./format/faults.ts";
export { DiskModel } from "./format/model.ts";
export { CONTENT, Damage } from "./format/damage.ts";
export { type MutationCounts, type MutationRun, type Reseal, runMutations } from "./format/mutations.ts";
export {
  type ImageOracle,
  type OperationCounts,
  type RandomRun,
  RandomRunError,
  runRandomOperations,
} from "./format/operations.ts";
export { type FileEvent, RecordedFiles } from "./format/recorded-files.ts";
export { FormatRig, type RigOptions, testHost } from "./format/rig.ts";
export { ScratchFile } from "./format/scratch-file.ts";
export { type FormatCheck, testFormat, type TestFormatOptions } from "./format/suite.ts";
