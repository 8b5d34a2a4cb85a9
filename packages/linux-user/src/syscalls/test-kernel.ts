/** A process for tests: memory, a clock that a test sets, files in memory, no CPU. */
import type { Abi } from "../abi.ts";
import { E } from "../errno.ts";
import { BaseFile } from "../fs/base-file.ts";
import { O, S } from "../fs/constants.ts";
import { MemoryFs } from "../fs/memory-fs.ts";
import { MAP, PROT } from "../guest-memory.ts";
import { AddressSpace, decodeUtf8, encodeUtf8 } from "../memory/address-space.ts";
import { windowBytes } from "../memory/page-table.ts";
import type { Process, ProcessHost, Syscalls } from "../process.ts";
import { sigInfo } from "../signals/siginfo.ts";
import { Signals } from "../signals/signals.ts";
import { createSyscalls } from "./dispatch.ts";
import { buildTable } from "./table.ts";

export const RV64: Abi = {
  machine: "riscv64",
  wordBits: 64,
  bigEndian: false,
  align64: 8,
  syscalls: "generic",
  pageSize: 4096,
};
export const BE32: Abi = {
  machine: "or1k",
  wordBits: 32,
  bigEndian: true,
  align64: 4,
  syscalls: "generic32",
  pageSize: 4096,
};

/** Where the test's arguments lie: 64 KiB that may be written. */
export const DATA = 0x10000;
const SPACE = 1 << 22;

/** Output that a test looks at. */
class Sink extends BaseFile {
  override readonly type: number = S.IFCHR;
  text = "";
  override write(from: Uint8Array): number {
    this.text += decodeUtf8(from);
    return from.length;
  }
}

/** A process whose memory, clock and files are a test's. What it tells the world is kept. */
export class TestProcess {
  readonly process: Process;
  readonly memory: AddressSpace;
  readonly files: MemoryFs;
  readonly calls: Syscalls;
  readonly out: Sink = new Sink();
  /** Lines of `-strace` and of `-d unimp`. */
  readonly strace: string[] = [];
  readonly unimp: string[] = [];
  /** Signals that it sent to itself. */
  readonly raised: number[] = [];
  /** Nanoseconds on the monotonic clock. */
  readonly time: { now: number } = { now: 1e9 };
  exited: number | undefined;
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(abi: Abi = RV64, options: { readonly strace?: boolean } = {}) {
    const windows = windowBytes(SPACE);
    const buffer = new ArrayBuffer(SPACE + windows + 4096);
    this.memory = new AddressSpace({ abi, base: 0, size: SPACE, buffer, windows: SPACE, windowsLength: windows });
    this.memory.map({
      address: DATA,
      length: 65536,
      prot: PROT.READ | PROT.WRITE,
      flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED,
    });
    const host = hostWithClock(this.time);
    this.process = this.#makeProcess(abi, host, options.strace === true);
    this.files = new MemoryFs({ clock: host, quota: 1 << 22 });
    for (const dir of ["/tmp", "/etc", "/bin"]) this.files.mkdir(dir, 0o755);
    this.files.addFile("/etc/motd", "welcome\n");
    const start = { file: this.out, flags: O.RDWR, path: "/dev/console" };
    this.calls = createSyscalls(this.process, { files: this.files, descriptors: [start, start, start], cwd: "/tmp" });
    const { names } = buildTable(abi.syscalls, abi.wordBits, abi.machine);
    this.#numbers = new Map([...names].map(([number, name]) => [name, number]));
  }

  /** Makes a system call by name; strings are put into memory, and their addresses are the arguments. */
  call(name: string, ...args: readonly (number | bigint | string)[]): number | Promise<number> {
    const lo = new Int32Array(6);
    const hi = new Int32Array(6);
    let strings = DATA + 0xc000;
    for (const [i, arg] of args.entries()) {
      let value = arg;
      if (typeof value === "string") {
        const bytes = Uint8Array.of(...encodeUtf8(value), 0);
        this.memory.bytes(strings, bytes.length, "w").set(bytes);
        value = strings;
        strings += bytes.length;
      }
      lo[i] = Number(BigInt.asIntN(32, BigInt(value)));
      if (this.process.abi.wordBits === 64) hi[i] = Number(BigInt.asIntN(32, BigInt(value) >> 32n));
    }
    return this.calls.call(this.#numbers.get(name) ?? E.NOSYS * 1000, lo, hi);
  }

  /** Bytes of the data area from offset `at` on. */
  bytes(at: number, length: number): Uint8Array {
    return this.memory.bytes(DATA + at, length, "r");
  }
  text(at: number, length: number): string {
    return decodeUtf8(this.bytes(at, length));
  }

  #makeProcess(abi: Abi, host: ProcessHost, strace: boolean): Process {
    const thread = { tid: 42, clearChildTid: 0, robustList: 0, robustListSize: 0 };
    const signals = new Signals();
    return {
      abi,
      memory: this.memory,
      host,
      info: {
        path: "/bin/test", argv: ["test"], env: [], auxv: new Uint8Array(32), startCode: 0, endCode: 0, startData: 0,
        endData: 0, startStack: 0, argStart: DATA, argEnd: DATA + 4, envStart: DATA, envEnd: DATA + 60_000,
      }, // prettier-ignore
      threads: [thread],
      current: thread,
      pid: 42,
      signals,
      stackPointer: DATA,
      limits: Array.from({ length: 16 }, () => [Infinity, Infinity]),
      executed: 0,
      exit: (status) => void (this.exited = status),
      raise: (signal, info) => {
        this.raised.push(signal);
        signals.raise(sigInfo(signal, info));
      },
      block: waitFor,
      flushInstructions: () => {},
      unimplemented: (text) => void this.unimp.push(text),
      strace: strace ? (text) => void this.strace.push(text) : undefined,
    };
  }
}

/** A new {@link TestProcess}. */
export function testProcess(abi?: Abi, options?: { readonly strace?: boolean }): TestProcess {
  return new TestProcess(abi, options);
}

/** A host where time passes when nobody does anything. */
function hostWithClock(time: { now: number }): ProcessHost {
  const timers: Set<{ readonly due: number; readonly fn: () => void }> = new Set();
  return {
    monotonicNs: () => time.now,
    realtime: () => ({ sec: 1_700_000_000 + Math.floor(time.now / 1e9), nsec: time.now % 1e9 }),
    cpuTimeNs: () => time.now,
    random: (bytes) => void bytes.fill(7),
    after(ns, fn) {
      const timer = { due: time.now + ns, fn };
      timers.add(timer);
      void Promise.resolve().then(() => {
        if (!timers.delete(timer)) return;
        time.now = Math.max(time.now, timer.due);
        fn();
      });
      return () => timers.delete(timer);
    },
    yield: () => Promise.resolve(),
    ids: { pid: 42, ppid: 1, uid: 1000, euid: 1000, gid: 100, egid: 100, groups: [100] },
  };
}

/** Waits as {@link Process.block} does; no signal interrupts. */
function waitFor(start: (done: (result: number) => void) => () => void): Promise<number> {
  return new Promise((resolve) => {
    let stop: (() => void) | undefined;
    let result: number | undefined;
    stop = start((value) => {
      result ??= value;
      stop?.();
      resolve(result);
    });
    if (result !== undefined) stop();
  });
}
