/** The few system calls that a static program without files makes, until the table of all of them is here. */
import { E, Errno } from "../errno.ts";
import type { Process, SyscallResult, Syscalls } from "../process.ts";
import { signalCalls } from "../signals/calls.ts";

type Call = (p: Process, ...args: number[]) => SyscallResult;

/** Numbers of the asm-generic ABI. */
const NUMBERS: Readonly<Record<number, string>> = {
  29: "ioctl", 56: "openat", 57: "close", 62: "lseek", 64: "write", 66: "writev", 78: "readlinkat", 79: "newfstatat", 80: "fstat",
  93: "exit", 94: "exit_group", 96: "set_tid_address", 99: "set_robust_list", 113: "clock_gettime", 129: "kill", 130: "tkill",
  131: "tgkill", 132: "sigaltstack", 133: "rt_sigsuspend", 134: "rt_sigaction", 135: "rt_sigprocmask", 136: "rt_sigpending",
  137: "rt_sigtimedwait", 160: "uname", 169: "gettimeofday", 172: "getpid", 178: "gettid", 214: "brk", 215: "munmap",
  216: "mremap", 222: "mmap", 226: "mprotect", 233: "madvise", 261: "prlimit64", 278: "getrandom",
}; // prettier-ignore

/** Calls over a function that writes to standard output and standard error. */
export function earlyCalls(process: Process, write: (fd: number, bytes: Uint8Array) => number): Syscalls {
  const { memory } = process;
  const time = (address: number, unit: number): number => {
    const now = process.host.realtime();
    memory.setU64(address, now.sec);
    memory.setU64(address + 8, Math.floor(now.nsec / unit));
    return 0;
  };
  const stat = (address: number): number => {
    memory.bytes(address, 128, "w").fill(0);
    memory.setU32(address + 16, 0o20620);
    memory.setU32(address + 56, 1024);
    return 0;
  };
  const done = (effect: unknown): number => (effect === undefined ? 0 : 0);
  const calls: Record<string, Call> = {
    write: (_, fd, at, length) => write(fd!, memory.bytes(at!, length!, "r")),
    writev: (_, fd, at, count) => {
      let total = 0;
      for (let i = at!; i < at! + 16 * count!; i += 16)
        total += write(fd!, memory.bytes(memory.u64(i), memory.u64(i + 8), "r"));
      return total;
    },
    exit: (p, status) => done(p.exit(status!)),
    exit_group: (p, status) => done(p.exit(status!)),
    brk: (_, at) => memory.brk(at!),
    mmap: (_, address, length, prot, flags) =>
      memory.map({ address: address!, length: length!, prot: prot!, flags: flags! }),
    munmap: (_, at, length) => done(memory.unmap(at!, length!)),
    mprotect: (_, at, length, prot) => done(memory.protect(at!, length!, prot!)),
    mremap: (_, at, length, now, flags, to) => memory.remap(at!, length!, now!, flags!, to!),
    madvise: (_, at, length, advice) => done(memory.advise(at!, length!, advice!)),
    clock_gettime: (_, _clock, at) => time(at!, 1),
    gettimeofday: (_, at) => time(at!, 1000),
    fstat: (_, _fd, at) => stat(at!),
    newfstatat: (_, _fd, _path, at) => stat(at!),
    ioctl: () => -E.NOTTY,
    set_tid_address: (p) => p.pid,
    set_robust_list: () => 0,
    getpid: (p) => p.pid,
    gettid: (p) => p.pid,
    prlimit64: () => -E.NOSYS,
    readlinkat: () => -E.NOENT,
    openat: () => -E.NOENT,
    close: () => 0,
    lseek: () => -E.SPIPE,
    getrandom: (p, at, length) => {
      p.host.random(memory.bytes(at!, length!, "w"));
      return length!;
    },
    uname: (p, at) => {
      memory.bytes(at!, 390, "w").fill(0);
      ["Linux", "mimus", "6.1.0", "#1", p.abi.machine].forEach((text, i) => {
        memory.bytes(at! + 65 * i, 65, "w").set(Array.from(text, (c) => c.charCodeAt(0)));
      });
      return 0;
    },
  };
  for (const { name, run } of signalCalls) calls[name] = run as Call;
  return {
    call(number, lo, hi) {
      const name = NUMBERS[number];
      const call = name === undefined ? undefined : calls[name];
      if (call === undefined) {
        process.unimplemented(`system call ${number}`);
        return -E.NOSYS;
      }
      try {
        const result = call(process, ...Array.from(lo, (l, i) => (l >>> 0) + hi[i]! * 2 ** 32));
        process.strace?.(`${name}(...) = ${String(result)}`);
        return result;
      } catch (error) {
        if (error instanceof Errno) return -error.number;
        throw error;
      }
    },
    close() {},
  };
}
