import { lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, Socket } from "node:net";

import type { ByteStream, StreamAddress, StreamHost, StreamListener } from "@mimus/nbd";
import { reason } from "../reason.ts";

/** Streams over sockets of the host: TCP, UNIX, inherited descriptors. */
export const nodeSockets: StreamHost = { connect: dial, listen };

function dial(address: StreamAddress): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const socket =
      address.type === "fd"
        ? new Socket({ fd: address.fd, readable: true, writable: true })
        : address.type === "unix"
          ? connect(address.path)
          : connect(address.port, address.host);
    const failed = (error: Error): void =>
      reject(new Error(`Failed to connect to '${addressText(address)}': ${reason(error)}`, { cause: error }));
    socket.once("error", failed);
    const ready = (): void => {
      socket.off("error", failed);
      resolve(socketStream(socket, addressText(address)));
    };
    if (address.type === "fd") ready();
    else socket.once("connect", ready);
  });
}

function listen(address: StreamAddress, onClient: (stream: ByteStream) => void): Promise<StreamListener> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer({ pauseOnConnect: true }, (socket) =>
      onClient(socketStream(socket, peerText(socket, address))),
    );
    const failed = (error: Error): void =>
      reject(new Error(`Failed to listen on '${addressText(address)}': ${reason(error)}`, { cause: error }));
    server.once("error", failed);
    // A UNIX socket whose server was killed is in the way of the next one.
    if (address.type === "unix") removeSocket(address.path);
    const where =
      address.type === "fd"
        ? { fd: address.fd }
        : address.type === "unix"
          ? { path: address.path }
          : { host: address.host === "" ? "::" : address.host, port: address.port };
    server.listen(where, () => {
      server.off("error", failed);
      server.on("error", () => undefined);
      const bound = server.address();
      resolve({
        address:
          address.type === "inet" && typeof bound === "object" && bound !== null
            ? { ...address, port: bound.port }
            : address,
        close: () => new Promise((done) => server.close(() => done())),
      });
    });
  });
}

/** A connected socket, or what encrypts one, as a stream. */
export function socketStream(socket: Socket, peer: string): NodeStream {
  return new NodeStream(socket, peer);
}

/** A socket as a byte stream; `release` hands the socket on, to be encrypted. */
export class NodeStream implements ByteStream {
  readonly peer: string;
  readonly #socket: Socket;
  #data: ((bytes: Uint8Array) => void) | undefined;
  #closed: ((error?: Error) => void) | undefined;
  #drained: (() => void) | undefined;
  #error: Error | undefined;
  #over = false;
  readonly #onData = (bytes: Uint8Array): void => this.#data?.(bytes);
  readonly #onDrain = (): void => this.#drained?.();
  readonly #onError = (error: Error): void => void (this.#error = new Error(reason(error), { cause: error }));
  readonly #onOver = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#closed?.(this.#error);
  };

  constructor(socket: Socket, peer: string) {
    this.peer = peer;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("drain", this.#onDrain).on("error", this.#onError).on("end", this.#onOver).on("close", this.#onOver);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    const first = this.#data === undefined;
    this.#data = listener;
    if (!first) return;
    this.#socket.on("data", this.#onData);
    this.#socket.resume();
  }
  onClose(listener: (error?: Error) => void): void {
    this.#closed = listener;
    if (this.#over) queueMicrotask(() => listener(this.#error));
  }
  onDrain(listener: () => void): void {
    this.#drained = listener;
  }
  write(pieces: readonly Uint8Array[], sent?: () => void): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    if (pieces.length === 1) return socket.write(pieces[0] as Uint8Array, sent);
    socket.cork();
    let ready = true;
    for (let n = 0; n < pieces.length; n++)
      ready = socket.write(pieces[n] as Uint8Array, n === pieces.length - 1 ? sent : undefined);
    socket.uncork();
    return ready;
  }
  later(act: () => void): void {
    setImmediate(act);
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  end(): void {
    this.#socket.end(() => this.#socket.destroy());
  }
  destroy(): void {
    this.#socket.destroy();
  }

  /** The socket itself, without listeners of this stream. */
  release(): Socket {
    const socket = this.#socket.off("data", this.#onData).off("drain", this.#onDrain).off("error", this.#onError);
    return socket
      .off("end", this.#onOver)
      .off("close", this.#onOver)
      .on("error", () => undefined);
  }
}

/** "host:port", "unix:path" or "fd:number". */
function addressText(address: StreamAddress): string {
  if (address.type === "inet") return `${address.host}:${address.port}`;
  return address.type === "unix" ? address.path : `fd:${address.fd}`;
}

function peerText({ remoteAddress, remotePort }: Socket, address: StreamAddress): string {
  return remoteAddress === undefined ? `client of ${addressText(address)}` : `${remoteAddress}:${remotePort}`;
}

/** Removes a socket that an earlier server left; anything else stays, and listening fails. */
function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // Not there, or not ours: listening says what is wrong.
  }
}
