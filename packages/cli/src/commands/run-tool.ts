import { writeSync } from "node:fs";

import { nest } from "@mimus/block";
import { exitAtOnce, nodeDirectory } from "@mimus/host-node/disk";
import type { ToolHost } from "@mimus/image-tools";
import type { StreamHost, TlsLookup } from "@mimus/nbd";
import { Registry } from "@mimus/qom";

import type { KeyValues } from "../args/keyval.ts";
import { discoverInto } from "../discover-plugins.ts";
import { isNetworkObject } from "../network-objects.ts";
import { isObserved } from "../observed.ts";
import type { Facts } from "../scripts/facts.ts";
import { toolHost } from "../tool-host.ts";

/** Runs a tool and ends the process with its status. */
export async function runTool(name: string, facts: Facts, run: (host: ToolHost) => Promise<number>): Promise<never> {
  const program = `mimus ${name}`;
  const streams: Streams = { used: false };
  process.on("warning", () => (streams.used = true));
  let code = 1;
  try {
    code = await run(await host(program, facts, streams));
  } catch (error) {
    const known = error instanceof Error && /^(UsageError|QomError|BlockError|ToolError)$/.test(error.name);
    const text = error instanceof Error ? (known ? error.message : `internal error: ${error.stack}`) : String(error);
    print(2, `${program}: ${text}\n`);
  }
  if (!streams.used && !isObserved()) exitAtOnce(code);
  return process.exit(code);
}

/**
 * Whether Node itself writes or reads standard streams: it changes how they work, and puts that right at its end. All else is written
 * by descriptor.
 */
interface Streams {
  used: boolean;
}

async function host(program: string, facts: Facts, streams: Streams): Promise<ToolHost> {
  const { registry } = await discoverInto(new Registry(), process.cwd(), [], facts);
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
      services(objects, (id) => secret(id)),
    ),
    out: (text) => print(1, text),
    outBytes: (bytes) => printBytes(1, bytes),
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
    lines(prompt) {
      streams.used = true;
      return lines(prompt);
    },
  };
}

/** What protocols may use of this host; sockets and TLS are loaded when an image needs them. */
function services(
  objects: readonly KeyValues[],
  secret: (id: string) => Promise<Uint8Array>,
): Readonly<Record<string, unknown>> {
  type Far = (...args: unknown[]) => Promise<unknown>;
  type Services = { sockets: StreamHost; tls: TlsLookup; fetch: Far; ssh: Far };
  let loaded: Promise<Services> | undefined;
  const load = (): Promise<Services> =>
    (loaded ??= import("../block-services.ts").then((m) => m.blockServices(objects, secret) as unknown as Services));
  const sockets: StreamHost = {
    connect: async (address) => (await load()).sockets.connect(address),
    listen: async (address, onClient) => (await load()).sockets.listen(address, onClient),
  };
  const tls: TlsLookup = async (id) => (await load()).tls(id);
  return {
    sockets,
    tls,
    fetch: async (...args: unknown[]) => (await load()).fetch(...args),
    ssh: async (...args: unknown[]) => (await load()).ssh(...args),
    secret,
    directory: nodeDirectory,
  };
}

async function* lines(prompt: string): AsyncIterable<string> {
  const reader = process.getBuiltinModule("node:readline").createInterface({
    input: process.stdin,
    output: process.stdin.isTTY ? process.stdout : undefined,
    prompt,
  });
  const show = (): void => (process.stdin.isTTY ? reader.prompt() : print(1, prompt));
  show();
  for await (const line of reader) {
    yield line;
    show();
  }
}

/** Room for long texts, used again: new memory for each costs as much as the text. */
let room: Buffer | undefined;
const ROOM = 1 << 18;

function bytesOf(text: string): Buffer {
  // A character takes three bytes at most.
  if (text.length < 4096 || text.length * 3 > ROOM) return Buffer.from(text);
  room ??= Buffer.allocUnsafeSlow(ROOM);
  return room.subarray(0, room.write(text));
}

/** Writes at once: a process that ends leaves nothing behind in a pipe. */
function print(fd: number, text: string): void {
  printBytes(fd, bytesOf(text));
}

function printBytes(fd: number, bytes: Uint8Array): void {
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
