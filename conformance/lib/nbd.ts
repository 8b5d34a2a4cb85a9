import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { type AddressInfo, createServer } from "node:net";
import { existsSync, readFileSync, statSync } from "node:fs";

import { mimusCommand } from "./mimus.ts";

/** What a program said and how it ended. */
export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], timeoutMs = 30_000): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: timeoutMs });
  return { status: status ?? 128, stdout, stderr };
}

/** The same without standing in the way of a server of this process. */
export function runBeside(program: string, args: readonly string[], timeoutMs = 30_000): Promise<Ran> {
  const child = spawn(program, args, { timeout: timeoutMs, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  return new Promise((resolve) => child.once("close", (status) => resolve({ status: status ?? 128, stdout, stderr })));
}

/** The words of the command line that runs `mimus`. */
export function mimusWords(...args: readonly string[]): string[] {
  const { command, args: own } = mimusCommand();
  return [command, ...own, ...args];
}

/** The flag __SO_ACCEPTCON of /proc/net/unix: somebody listens. Source: proc(5). */
const LISTENS = 0x10000;

/** Whether a server has started: somebody listens on this unix socket, whose file is there a moment before, or this is the file of its process number. */
function started(socket: string): boolean {
  if (!existsSync(socket)) return false;
  if (!statSync(socket).isSocket()) return true;
  for (const line of readFileSync("/proc/net/unix", "utf8").split("\n")) {
    const [, , , flags = "0", , , , path] = line.trim().split(/\s+/);
    if (path === socket && (Number.parseInt(flags, 16) & LISTENS) !== 0) return true;
  }
  return false;
}

/** A server on a unix socket, or on a port with a file of its process number: of any program, ended with `stop`. */
export class NbdServerProcess {
  readonly child: ChildProcess;
  readonly socket: string;
  stderr = "";

  private constructor(words: readonly string[], socket: string) {
    const [program = "", ...args] = words;
    this.socket = socket;
    this.child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.child.stderr?.on("data", (text: Buffer) => (this.stderr += text.toString()));
  }

  /** Starts it and waits until it listens on its socket; `socket` may be the process number's file instead, which is written when it listens. */
  static async start(words: readonly string[], socket: string): Promise<NbdServerProcess> {
    const server = new NbdServerProcess(words, socket);
    const end = Date.now() + 60_000;
    while (!started(socket)) {
      if (server.child.exitCode !== null || Date.now() > end) {
        server.child.kill();
        throw new Error(`no server on ${socket}: ${server.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return server;
  }

  uri(name = ""): string {
    return `nbd+unix:///${name}?socket=${this.socket}`;
  }

  /** Its exit status. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null || signalCode !== null) return exitCode;
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    this.child.kill(signal);
    return ended;
  }
}

/** A TCP port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
