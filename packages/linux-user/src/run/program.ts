/** Starts programs: the entry point for commands and pages. */
import type { TcgOptions } from "@mimus/tcg";
import { readElf, type ElfFile } from "../elf/header.ts";
import { loadElf, type LoadedElf } from "../elf/load.ts";
import { AT, buildStack, stackNeeds, type StackContents } from "../elf/stack.ts";
import { E, Errno, fail } from "../errno.ts";
import { LinuxUserError } from "../errors.ts";
import { MAP, PROT, type MappedFile } from "../guest-memory.ts";
import { PAGE } from "../memory/page-table.ts";
import type { Process, ProcessHost, Syscalls } from "../process.ts";
import type { UserTarget } from "../target.ts";
import { LinuxProcess, type ExitStatus, type ProcessLog } from "./linux-process.ts";

/** Where programs and their interpreters come from, and what runs their calls. */
export interface ProgramHost extends ProcessHost {
  /** Opens a file to run, by a path of the program's view. @throws Errno, LinuxUserError */
  openProgram(path: string): { readonly path: string; readonly file: MappedFile };
  createSyscalls(process: Process): Syscalls;
}

/** A program to run. */
export interface ProgramOptions {
  readonly target: UserTarget;
  readonly host: ProgramHost;
  /** Path of the program. */
  readonly program: string;
  /** Arguments with the program's name as the first. */
  readonly argv: readonly string[];
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  /** Bytes of stack at most; default 8 MiB. */
  readonly stackSize?: number;
  /** Makes AT_RANDOM, and what else is random of the start, repeat. */
  readonly seed?: number;
  /** Bytes of address space; default 2040 MiB, or what the host has. */
  readonly addressSpace?: number;
  readonly tcg?: TcgOptions;
  readonly log?: ProcessLog;
}

/** A program that runs. */
export interface RunningProgram {
  readonly process: LinuxProcess;
  readonly exit: Promise<ExitStatus>;
}

const STACK_SIZE = 8 * 2 ** 20;
const RLIMIT_STACK = 3;
const CLOCK_TICKS = 100;
/** Least and most of the stack option. */
const LEAST_STACK = 64 * 1024;

/** Loads a program and starts it. @throws LinuxUserError when it can't be run */
export function runProgram(options: ProgramOptions): RunningProgram {
  const main = openElf(options, options.program);
  try {
    return start(options, main);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw new LinuxUserError("no-memory", `${main.path}: no room for it and its stack (${error.message})`);
  }
}

function start(options: ProgramOptions, main: ElfFile): RunningProgram {
  const { host } = options;
  const process = new LinuxProcess(options);
  const loaded = load(process, main, "program");
  process.memory.mappings.heap.place(loaded.end);
  const interpreter =
    main.interpreter === undefined ? undefined : loadInterpreter(options, process, main.interpreter, main.path);
  const entry = interpreter?.entry ?? loaded.entry;
  process.trampoline = mapTrampoline(process);
  const stack = setUpStack(options, process, main, loaded, interpreter);
  process.info = {
    path: main.path,
    argv: options.argv,
    env: options.env ?? [],
    startStack: stack.sp,
    startCode: loaded.startCode,
    endCode: loaded.endCode,
    startData: loaded.startData,
    endData: loaded.endData,
    argStart: stack.argStart,
    argEnd: stack.argEnd,
    envStart: stack.envStart,
    envEnd: stack.envEnd,
    auxv: stack.auxv,
  };
  process.cpu.start(entry, stack.sp);
  process.calls = host.createSyscalls(process);
  // Not before the caller has had a chance to forward signals to it.
  return { process, exit: Promise.resolve().then(() => process.run()) };
}

function openElf({ host, target }: ProgramOptions, path: string): ElfFile {
  let opened: { readonly path: string; readonly file: MappedFile };
  try {
    opened = path === "" ? fail(E.NOENT) : host.openProgram(path);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    const why = REASONS[error.message] ?? error.message;
    throw new LinuxUserError(error.message === "ENOENT" ? "not-found" : "not-executable", `${path}: ${why}`);
  }
  return readElf(opened.path, opened.file, target);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  ELOOP: "Too many levels of symbolic links",
};

function loadInterpreter(options: ProgramOptions, process: LinuxProcess, path: string, wantedBy: string): LoadedElf {
  let elf: ElfFile;
  try {
    elf = openElf(options, path);
  } catch (error) {
    if (!(error instanceof LinuxUserError)) throw error;
    const hint = error.kind === "not-found" ? "; -L names the folder of the program's system" : "";
    throw new LinuxUserError(error.kind, `${wantedBy}: its interpreter ${error.message}${hint}`);
  }
  return load(process, elf, "interpreter");
}

/** Maps a file, whose areas keep it open from then on. */
function load(process: LinuxProcess, elf: ElfFile, role: "program" | "interpreter"): LoadedElf {
  try {
    return loadElf(process.memory, elf, role);
  } finally {
    elf.file.release();
  }
}

/** The page with the code that handlers return to. */
function mapTrampoline({ memory, target }: LinuxProcess): number {
  const at = memory.map({
    address: 0,
    length: PAGE,
    prot: PROT.READ | PROT.WRITE,
    flags: MAP.PRIVATE | MAP.ANONYMOUS,
    name: "[vdso]",
  });
  memory.bytes(at, target.trampoline.length, "w").set(target.trampoline);
  memory.protect(at, PAGE, PROT.READ | PROT.EXEC);
  return at;
}

function setUpStack(
  options: ProgramOptions,
  process: LinuxProcess,
  main: ElfFile,
  loaded: LoadedElf,
  interpreter: LoadedElf | undefined,
): ReturnType<typeof buildStack> {
  const { target, host } = options;
  const { memory } = process;
  const { ids } = host;
  const size = Math.ceil(Math.max(options.stackSize ?? STACK_SIZE, LEAST_STACK) / PAGE) * PAGE;
  const random = new Uint8Array(16);
  if (options.seed === undefined) host.random(random);
  else seeded(options.seed, random);
  const contents: StackContents = {
    argv: options.argv,
    env: options.env ?? [],
    path: options.program,
    platform: target.platform,
    random,
    auxv: [
      [AT.PHDR, loaded.phdr],
      [AT.PHENT, loaded.phentsize],
      [AT.PHNUM, loaded.phnum],
      [AT.PAGESZ, PAGE],
      [AT.BASE, interpreter?.bias ?? 0],
      [AT.FLAGS, 0],
      [AT.ENTRY, loaded.entry],
      [AT.UID, ids.uid],
      [AT.EUID, ids.euid],
      [AT.GID, ids.gid],
      [AT.EGID, ids.egid],
      [AT.HWCAP, target.hwcap],
      [AT.HWCAP2, target.hwcap2],
      [AT.CLKTCK, CLOCK_TICKS],
      [AT.SECURE, 0],
      [AT.MINSIGSTKSZ, 2048 + target.frame.size],
    ],
  };
  // As on Linux: arguments and environment may take a quarter of the stack.
  if (stackNeeds(contents, target.abi) > size / 4)
    throw new LinuxUserError("no-memory", `${main.path}: Argument list too long`);
  const executable = main.segments.some((s) => s.type === GNU_STACK && (s.flags & 1) !== 0);
  const start = memory.map({
    address: 0,
    length: size,
    prot: PROT.READ | PROT.WRITE | (executable ? PROT.EXEC : 0),
    flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.STACK,
    name: "[stack]",
  });
  // Nothing is mapped right below the stack, so that running over its end faults.
  memory.mappings.ceiling = start - 256 * PAGE;
  process.limits[RLIMIT_STACK] = [size, Infinity];
  return buildStack(memory, start + size, contents);
}

const GNU_STACK = 0x6474e551;

/** Bytes that follow from a seed. Source: Steele, Lea, Flood, Fast splittable pseudorandom number generators, 2014 (SplitMix). */
export function seeded(seed: number, out: Uint8Array): void {
  let state = BigInt.asUintN(64, BigInt(Math.trunc(seed)));
  for (let i = 0; i < out.length; i++) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    out[i] = Number((z ^ (z >> 31n)) & 255n);
  }
}
