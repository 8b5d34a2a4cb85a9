export type { Abi } from "./abi.ts";
export { E, Errno, fail, RESTART } from "./errno.ts";
export { LinuxUserError } from "./errors.ts";
export { MAP, PROT, type Area, type GuestMemory, type MappedFile, type MapRequest } from "./guest-memory.ts";
export { array, Bound, layout, Layout, pad } from "./layout.ts";
export type { ArrayField, Field, Fields, PadField, Scalar, ValueOf, Values } from "./layout.ts";
export { AddressSpace, decodeUtf8, encodeUtf8 } from "./memory/address-space.ts";
export type {
  ArgKind,
  Process,
  ProcessHost,
  ProgramInfo,
  SyscallDef,
  SyscallResult,
  Syscalls,
  Thread,
} from "./process.ts";
export { BaseFile, emptyStatFs, makeDev, statOf } from "./fs/base-file.ts";
export { AT, O, POLL, RENAME, S } from "./fs/constants.ts";
export { MemoryFs, type MemoryFsOptions, type MemoryUser } from "./fs/memory-fs.ts";
export { type FileClock, type Quota } from "./fs/memory-file.ts";
export type { DirEntry, File, FileSystem, FileTime, SetTime, Stat, StatFs, Terminal, Termios } from "./fs/types.ts";
export { createSyscalls, type StartFile, type SyscallOptions } from "./syscalls/dispatch.ts";
export { type SystemName } from "./syscalls/kernel.ts";
export { LinuxProcess, type ExitStatus, type ProcessLog } from "./run/linux-process.ts";
export { memoryHost, programFile, type MemoryHostOptions } from "./run/memory-host.ts";
export { runProgram, seeded, type ProgramHost, type ProgramOptions, type RunningProgram } from "./run/program.ts";
export { SI, SIG, signalName, sigInfo, type SigInfo } from "./signals/siginfo.ts";
export { Signals, type AltStack, type SigAction } from "./signals/signals.ts";
export type { CpuKernel, SignalEntry, SignalReturn, UserCpu, UserTarget } from "./target.ts";
