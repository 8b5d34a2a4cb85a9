/** A process for tests: memory, a clock that a test sets, files in memory, no CPU. */
import type { Abi } from "../abi.ts";
import { E } from "../errno.ts";
import { BaseFile } from "../fs/base-file.ts";
import { O, S } from "../fs/constants.ts";
import { MemoryFs } from "../fs/memory-fs.ts";
import { MAP, PROT } from "../guest-memory.ts";
import { AddressSpace, decodeUtf8, encodeUtf8 } from "../memory/address-space.ts";
import { windowBytes } from "../memory/page-table.ts";
import type { Process, Syscalls } from "../process.ts";
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

export interface TestProcess {
  readonly process: Process;
  readonly memory: AddressSpace;
  readonly files: MemoryFs;
  readonly calls: Syscalls;
  readonly out: Sink;
  readonly strace: string[];
  readonly unimp: string[];
  readonly raised: number[];
  readonly time: { now: number };
  exited: number | undefined;
  /** Calls by name; strings are put into memory. */
  call(name: string, ...args: readonly (number | bigint | string)[]): number | Promise<number>;
  /** Bytes of the data area from an offset on. */
  bytes(at: number, length: number): Uint8Array;
  text(at: number, length: number): string;
}

export function testProcess(abi: Abi = RV64, options: { readonly strace?: boolean } = {}): TestProcess {
  const windows = windowBytes(SPACE);
  const buffer = new ArrayBuffer(SPACE + windows + 4096);
  const memory = new AddressSpace({ abi, base: 0, size: SPACE, buffer, windows: SPACE, windowsLength: windows });
  memory.map({
    address: DATA,
    length: 65536,
    prot: PROT.READ | PROT.WRITE,
    flags: MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED,
  });
  const time = { now: 1e9 };
  const timers: Set<{ readonly due: number; readonly fn: () => void }> = new Set();
  const signals = new Signals();
  const thread = { tid: 42, clearChildTid: 0, robustList: 0, robustListSize: 0 };
  const raised: number[] = [];
  const process: Process = {
    abi,
    memory,
    host: {
      monotonicNs: () => time.now,
      realtime: () => ({ sec: 1_700_000_000 + Math.floor(time.now / 1e9), nsec: time.now % 1e9 }),
      cpuTimeNs: () => time.now,
      random: (bytes) => void bytes.fill(7),
      after(ns, fn) {
        const timer = { due: time.now + ns, fn };
        timers.add(timer);
        // Time passes when nobody does anything.
        void Promise.resolve().then(() => {
          if (!timers.delete(timer)) return;
          time.now = Math.max(time.now, timer.due);
          fn();
        });
        return () => timers.delete(timer);
      },
      yield: () => Promise.resolve(),
      ids: { pid: 42, ppid: 1, uid: 1000, euid: 1000, gid: 100, egid: 100, groups: [100] },
    },
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
    exit(status) {
      self.exited = status;
    },
    raise(signal, info) {
      raised.push(signal);
      signals.raise(sigInfo(signal, info));
    },
    block: (start) =>
      new Promise((resolve) => {
        let stop: (() => void) | undefined;
        let result: number | undefined;
        stop = start((value) => {
          result ??= value;
          stop?.();
          resolve(result);
        });
        if (result !== undefined) stop();
      }),
    flushInstructions: () => {},
    unimplemented: (text) => void unimp.push(text),
    strace: options.strace === true ? (text) => void strace.push(text) : undefined,
  } as Process;
  const strace: string[] = [];
  const unimp: string[] = [];
  const files = new MemoryFs({ clock: process.host, quota: 1 << 22 });
  for (const dir of ["/tmp", "/etc", "/bin"]) files.mkdir(dir, 0o755);
  files.addFile("/etc/motd", "welcome\n");
  const out = new Sink();
  const start = { file: out, flags: O.RDWR, path: "/dev/console" };
  const calls = createSyscalls(process, { files, descriptors: [start, start, start], cwd: "/tmp" });
  const numbers = new Map([...buildTable(abi.syscalls, abi.wordBits, abi.machine).names].map(([n, name]) => [name, n]));
  const lo = new Int32Array(6);
  const hi = new Int32Array(6);
  const self: TestProcess = {
    process, memory, files, calls, out, strace, unimp, raised, time,
    exited: undefined,
    call(name, ...args) {
      let strings = DATA + 0xc000;
      lo.fill(0);
      hi.fill(0);
      args.forEach((arg, i) => {
        let value = arg;
        if (typeof value === "string") {
          const bytes = Uint8Array.of(...encodeUtf8(value), 0);
          memory.bytes(strings, bytes.length, "w").set(bytes);
          value = strings;
          strings += bytes.length;
        }
        lo[i] = Number(BigInt.asIntN(32, BigInt(value)));
        if (abi.wordBits === 64) hi[i] = Number(BigInt.asIntN(32, BigInt(value) >> 32n));
      });
      return calls.call(numbers.get(name) ?? E.NOSYS * 1000, lo, hi);
    },
    bytes: (at, length) => memory.bytes(DATA + at, length, "r"),
    text: (at, length) => decodeUtf8(memory.bytes(DATA + at, length, "r")),
  }; // prettier-ignore
  return self;
}
