/** Runs one program: a Linux process with no files but its own, and its output collected. */
import { earlyCalls, LinuxUserError, type MappedFile, type ProgramHost, runProgram } from "@mimus/linux-user";
import { webClock } from "@mimus/host-web";
import { userTargets } from "@mimus/target-riscv/user";

import type { ProgramResult, RunProgram } from "./protocol.ts";

/** Exit statuses of a shell. Source: POSIX.1-2017, Shell Command Language, 2.8.2. */
const NOT_EXECUTABLE = 126;
const SIGNALED = 128;

/** A file in memory that nothing writes to. */
function programFile(path: string, content: Uint8Array): MappedFile {
  return {
    path,
    key: path,
    size: () => content.length,
    read(offset, into) {
      const part = content.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    write() {},
    retain() {},
    release() {},
  };
}

async function run({ program, args }: RunProgram): Promise<ProgramResult> {
  const clock = webClock();
  const decoder = new TextDecoder();
  let output = "";
  const host: ProgramHost = {
    monotonicNs: () => clock.now(),
    realtime: () => {
      const ns = clock.wallNow();
      return { sec: Math.floor(ns / 1e9), nsec: Math.floor(ns % 1e9) };
    },
    cpuTimeNs: () => clock.now(),
    random: (bytes) => clock.random(bytes),
    after(ns, fn) {
      const timer = setTimeout(fn, ns / 1e6);
      return () => clearTimeout(timer);
    },
    yield: () => clock.yield(),
    ids: { pid: 1, ppid: 0, uid: 1000, euid: 1000, gid: 1000, egid: 1000, groups: [] },
    openProgram: (path) => ({ path, file: programFile(path, program) }),
    createSyscalls: (process) =>
      earlyCalls(process, (_fd, bytes) => {
        output += decoder.decode(bytes, { stream: true });
        return bytes.length;
      }),
  };
  try {
    const { exit } = runProgram({ target: userTargets.riscv64(), host, program: "/program", argv: args });
    const end = await exit;
    return { status: end.kind === "exited" ? end.status : SIGNALED + end.signal, output };
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
