export type { Abi } from "./abi.ts";
export { E, Errno, errnoName, fail, RESTART } from "./errno.ts";
export { LinuxUserError } from "./errors.ts";
export { MAP, PROT, type Area, type GuestMemory, type MappedFile, type MapRequest } from "./guest-memory.ts";
export { array, Bound, layout, Layout, pad } from "./layout.ts";
export type { ArgKind, Process, ProcessHost, ProgramInfo, SyscallDef, SyscallResult, Syscalls, Thread } from "./process.ts";
export { SI, SIG, signalName, sigInfo, type SigInfo } from "./signals/siginfo.ts";
export type { AltStack, SigAction, Signals } from "./signals/signals.ts";
