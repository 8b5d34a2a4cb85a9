import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

import type { ToolHost } from "@mimus/image-tools";
import { nest } from "@mimus/block";

import type { KeyValues } from "../args/keyval.ts";
import { blockServices, isNetworkObject } from "../block-services.ts";
import { discover } from "../discover.ts";
import { leave } from "../user/leave.ts";
import { toolHost } from "../tool-host.ts";

/** Runs a tool and ends the process with its status. */
export async function runTool(name: string, run: (host: ToolHost) => Promise<number>): Promise<never> {
  const program = `mimus ${name}`;
  let code = 1;
  try {
    code = await run(await host(program));
  } catch (error) {
    const known = error instanceof Error && /^(UsageError|QomError|BlockError|ToolError)$/.test(error.name);
    const text = error instanceof Error ? (known ? error.message : `internal error: ${error.stack}`) : String(error);
    print(2, `${program}: ${text}\n`);
  }
  return leave(code, process.stdin.isTTY);
}

async function host(program: string): Promise<ToolHost> {
  const { registry } = await discover(process.cwd());
  const objects: KeyValues[] = [];
  let secret = (id: string): Promise<Uint8Array> => Promise.reject(new Error(`No secret with id '${id}'`));
  let interrupted = false;
  let reports: (() => void)[] = [];
  process.on("SIGUSR1", () => {
    for (const report of reports) report();
  });
  process.on("SIGINT", () => {
    // Asked twice, the process ends where it is.
    if (interrupted) process.exit(130);
    interrupted = true;
  });
  return {
    ...toolHost(
      program,
      registry,
      blockServices(objects, (id) => secret(id)),
    ),
    out: (text) => print(1, text),
    err: (text) => print(2, text),
    onReport: (report) => (reports = [...reports, report]),
    interrupted: () => interrupted,
    object(values, find) {
      if (!isNetworkObject(values["qom-type"])) return false;
      secret = find;
      objects.push(nest(values) as KeyValues);
      return true;
    },
    async unseal(key, iv, data) {
      const { createDecipheriv } = await import("node:crypto");
      const decipher = createDecipheriv("aes-256-cbc", key, iv).setAutoPadding(false);
      return Buffer.concat([decipher.update(data), decipher.final()]);
    },
    raise: (signal) => void process.kill(process.pid, signal),
    abort: () => process.abort(),
    lines,
  };
}

async function* lines(prompt: string): AsyncIterable<string> {
  const reader = createInterface({ input: process.stdin, output: process.stdin.isTTY ? process.stdout : undefined, prompt });
  const show = (): void => (process.stdin.isTTY ? reader.prompt() : print(1, prompt));
  show();
  for await (const line of reader) {
    yield line;
    show();
  }
}

/** Writes at once: a process that ends leaves nothing behind in a pipe. */
function print(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;)
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(1);
      if (code !== "EAGAIN") throw error;
      // The reader of a pipe is slow.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
}
