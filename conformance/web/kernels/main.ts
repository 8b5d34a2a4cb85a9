/** The page's end: each program runs in a worker of its own, as a process would. */
import type { ProgramResult, RunProgram } from "./protocol.ts";

const cache = new Map<string, Promise<ArrayBuffer>>();

async function fetchProgram(address: string): Promise<ArrayBuffer> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/** Runs the program at `address` with arguments after its name. */
async function runProgram(address: string, args: readonly string[]): Promise<ProgramResult> {
  const fetched = cache.get(address) ?? fetchProgram(address);
  cache.set(address, fetched);
  const message: RunProgram = { program: new Uint8Array(await fetched), args: ["program", ...args] };
  const worker = new Worker("worker.js", { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<ProgramResult>) => resolve(data));
      worker.addEventListener("error", (event) => reject(new Error(event.message)));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker takes none
      worker.postMessage(message);
    });
  } finally {
    worker.terminate();
  }
}

Object.assign(globalThis, { runProgram });
