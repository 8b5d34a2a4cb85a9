/** Threads of this process for vCPUs; the shapes are those of `VcpuThreadHost` in `@mimus/system`. */
import { Worker } from "node:worker_threads";
import { clockOrigin } from "./clock-origin.ts";

/** What a thread begins with: `start`, and the data for the export of a package. */
export interface ThreadRequest {
  readonly start: object;
  readonly module: string;
  readonly data: unknown;
}
/** A thread that runs. */
export interface RunningThread {
  end(): void;
}
/** Threads for vCPUs. */
export interface NodeThreads {
  readonly refusal?: string | undefined;
  start(request: ThreadRequest, failed: (error: unknown) => void): Promise<RunningThread>;
}

/** Milliseconds that a thread has to end by itself. */
const GRACE_MS = 200;

/** Threads of Node. `locate` gives the address of a package's entry. */
export function nodeThreads(locate: (name: string) => string): NodeThreads {
  return {
    refusal:
      process.arch === "x64" || process.arch === "ia32"
        ? undefined
        : `vCPUs of an x86 rely on the order of stores of an x86, and this host is ${process.arch}: use thread=single`,
    start: async ({ start, module, data }, failed) => startThread({ start, module: locate(module), data }, failed),
  };
}

async function startThread(request: ThreadRequest, failed: (error: unknown) => void): Promise<RunningThread> {
  const here = import.meta.url;
  const entry = new URL(here.endsWith(".ts") ? "./worker.ts" : "./threads/worker.js", here);
  const worker = new Worker(entry, { workerData: { ...request, origin: clockOrigin() }, name: "vcpu" });
  let ended = false;
  worker.on("error", (error) => failed(error));
  worker.on("exit", (code) => {
    if (!ended) failed(new Error(`a vCPU's thread ended with status ${code}`));
  });
  return {
    end() {
      ended = true;
      worker.unref();
      setTimeout(() => void worker.terminate(), GRACE_MS).unref();
    },
  };
}
