import { createReadStream, createWriteStream, fstatSync } from "node:fs";
import { connect, createServer, Socket } from "node:net";
import { ReadStream as TtyRead } from "node:tty";
import type { Readable, Writable } from "node:stream";

import { CharError, type CharHost, type HostStream, type SocketAddress } from "@mimus/chardev";

import { fs } from "./beneath.ts";
import { libc } from "./libc.ts";
import { reason } from "./reason.ts";

/** Character devices on Node: terminal, files, sockets, pseudo-terminals. */
export const nodeChars: CharHost = {
  stdio: ({ signal }) => stdio(signal),
  async openOutput(path, { append }) {
    const handle = await fs()
      .open(path, append ? "a" : "w")
      .catch((error: Error) => {
        throw new CharError("io", `Could not open '${path}' for writing: ${reason(error)}`, { cause: error });
      });
    return duplex(undefined, createWriteStream(path, { fd: handle }));
  },
  async openInput(path) {
    const handle = await fs()
      .open(path, "r")
      .catch((error: Error) => {
        throw new CharError("not-found", `Could not open '${path}' for reading: ${reason(error)}`, { cause: error });
      });
    return duplex(createReadStream(path, { fd: handle }), undefined);
  },
  async pty() {
    const made = libc()?.openPty();
    if (made === undefined) throw new CharError("unsupported", "pty needs Linux and the package koffi");
    const master = new TtyRead(made.fd);
    return { stream: duplex(master, master as unknown as Writable), name: made.name };
  },
  connect: (address) =>
    new Promise((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(new CharError("io", `Failed to connect to '${describe(address)}': ${reason(error)}`, { cause: error }));
      try {
        const socket = dial(address);
        if (address.kind === "fd") resolve(ofSocket(socket));
        else socket.once("connect", () => resolve(ofSocket(socket)));
        socket.once("error", failed);
      } catch (error) {
        // A descriptor that is no socket, a path with a zero byte.
        failed(error as Error);
      }
    }),
  listen: (address, onClient) =>
    new Promise((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(new CharError("io", `Failed to listen on '${describe(address)}': ${reason(error)}`, { cause: error }));
      const server = createServer((socket) => onClient(ofSocket(socket)));
      server.once("error", failed);
      const where =
        address.kind === "unix" ? { path: address.path } : address.kind === "fd" ? { fd: address.fd } : address;
      try {
        server.listen(where, () =>
          resolve({
            description: describe(address),
            close: () => new Promise((done) => server.close(() => done())),
          }),
        );
      } catch (error) {
        failed(error as Error);
      }
      server.unref();
    }),
  after: (milliseconds, callback) => void setTimeout(callback, milliseconds).unref(),
  notice: (line) => void process.stderr.write(`${line}\n`),
};

function dial(address: SocketAddress): Socket {
  if (address.kind === "fd") return new Socket({ fd: address.fd, readable: true, writable: true });
  return address.kind === "unix" ? connect(address.path) : connect(address.port, address.host);
}

function describe(address: SocketAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return address.kind === "fd" ? `fd:${address.fd}` : `tcp:${address.host}:${address.port}`;
}

function ofSocket(socket: Socket): HostStream {
  socket.setNoDelay(true);
  return duplex(socket, socket);
}

/** The process's terminal. Raw while it is open; restored when the process ends, however it ends. */
function stdio(signal: boolean): HostStream {
  const { stdin, stdout } = process;
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    process.once("exit", () => stdin.setRawMode(false));
  }
  const stream = duplex(stdin, stdout);
  if (!stdin.isTTY || !signal) return stream;
  return {
    ...stream,
    // Raw mode delivers Ctrl-C as a byte; with signal=on it ends the emulator, as in a cooked terminal.
    onData: (listener) =>
      stream.onData((bytes) => {
        if (bytes.includes(3)) process.kill(process.pid, "SIGINT");
        else listener(bytes);
      }),
  };
}

function duplex(input: Readable | undefined, output: Writable | undefined): HostStream {
  const closed: (() => void)[] = [];
  let over = false;
  const close = (): void => {
    if (over) return;
    over = true;
    for (const listener of closed) listener();
  };
  // Two streams (standard input and output): the end of the input leaves the output open.
  const inputCloses = output === undefined || (input as unknown) === output;
  input?.on("error", () => inputCloses && close());
  input?.on("close", () => inputCloses && close());
  output?.on("error", close);
  return {
    write: (bytes) => output?.write(bytes.slice()) ?? true,
    onData: (listener) => void input?.on("data", (chunk: Buffer) => listener(chunk)),
    onDrain: (listener) => void output?.on("drain", listener),
    onClose: (listener) => void closed.push(listener),
    pause: () => void input?.pause(),
    resume: () => void input?.resume(),
    close: () =>
      new Promise((resolve) => {
        if (input === process.stdin) {
          input.pause();
          (input as TtyRead).unref?.();
          if (process.stdout.writableLength === 0) resolve();
          else process.stdout.once("drain", resolve);
          return;
        }
        input?.destroy();
        if (output === undefined || output.destroyed) resolve();
        else output.end(() => resolve());
      }),
  };
}

/** True when standard input is a terminal, a pipe or a file (not closed). */
export function hasStdin(): boolean {
  try {
    fstatSync(0);
    return true;
  } catch {
    return false;
  }
}
