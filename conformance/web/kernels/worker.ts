/** Runs one program: a Linux process over a file system in memory that holds the program, and its output collected. */
import { webClock } from "@mimus/host-web";
import {
  BaseFile,
  createSyscalls,
  type File,
  LinuxUserError,
  type MappedFile,
  MemoryFs,
  O,
  type ProgramHost,
  runProgram,
  S,
} from "@mimus/linux-user";
import { userTargets } from "@mimus/target-riscv/user";

import type { ProgramResult, RunProgram } from "./protocol.ts";

const PROGRAM = "/bin/program";
/** Exit statuses of a shell. Source: POSIX.1-2017, Shell Command Language, 2.8.2. */
const NOT_EXECUTABLE = 126;
const SIGNALED = 128;

/** Standard output and standard error. */
class Output extends BaseFile {
  readonly type = S.IFCHR;
  readonly #decoder = new TextDecoder();
  text = "";

  override write(from: Uint8Array): number {
    this.text += this.#decoder.decode(from.slice(), { stream: true });
    return from.length;
  }
}

/** Standard input, at its end. */
class Nothing extends BaseFile {
  readonly type = S.IFCHR;

  override read(): number {
    return 0;
  }
}

function mapped(path: string, file: File): MappedFile {
  let users = 1;
  return {
    path,
    key: path,
    size: () => file.size(),
    read: (offset, into) => file.read(into, offset),
    write() {},
    retain: () => void users++,
    release() {
      if (--users === 0) file.close();
    },
  };
}

async function run({ program, args }: RunProgram): Promise<ProgramResult> {
  const clock = webClock();
  const realtime = (): { sec: number; nsec: number } => {
    const ns = clock.wallNow();
    return { sec: Math.floor(ns / 1e9), nsec: Math.floor(ns % 1e9) };
  };
  const files = new MemoryFs({ clock: { realtime } });
  files.addFile(PROGRAM, program, 0o755);
  const output = new Output();
  const host: ProgramHost = {
    monotonicNs: () => clock.now(),
    realtime,
    cpuTimeNs: () => clock.now(),
    random: (bytes) => clock.random(bytes),
    after(ns, fn) {
      const timer = setTimeout(fn, ns / 1e6);
      return () => clearTimeout(timer);
    },
    yield: () => clock.yield(),
    ids: { pid: 1, ppid: 0, uid: 0, euid: 0, gid: 0, egid: 0, groups: [] },
    openProgram: (path) => ({ path, file: mapped(path, files.open(path, O.RDONLY, 0)) }),
    createSyscalls: (process) =>
      createSyscalls(process, {
        files,
        descriptors: [
          { file: new Nothing(), flags: O.RDONLY, path: "/dev/stdin" },
          { file: output, flags: O.WRONLY, path: "/dev/stdout" },
          { file: output, flags: O.WRONLY, path: "/dev/stderr" },
        ],
        cwd: "/",
      }),
  };
  try {
    const { exit } = runProgram({ target: userTargets.riscv64(), host, program: PROGRAM, argv: args });
    const end = await exit;
    return { status: end.kind === "exited" ? end.status : SIGNALED + end.signal, output: output.text };
  } catch (error) {
    if (!(error instanceof LinuxUserError)) throw error;
    return { status: NOT_EXECUTABLE, output: `${error.message}\n` };
  } finally {
    clock.close();
  }
}

addEventListener("message", ({ data }: MessageEvent<RunProgram>) => {
  void run(data).then(
    (result) => postMessage(result),
    (error: unknown) => postMessage({ status: -1, output: String(error) } satisfies ProgramResult),
  );
});
