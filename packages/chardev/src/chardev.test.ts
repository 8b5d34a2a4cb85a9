import { expect, test } from "vitest";

import type { CharFrontend, CharHost, HostStream } from "./index.ts";
import { charConfig, CharError, MuxChar, RingBufChar, shortForm, SocketChar } from "./index.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (raw: Uint8Array): string => String.fromCharCode(...raw);

/** A front end that takes `room` bytes at a time and keeps what it got. */
class Sink implements CharFrontend {
  got = "";
  events: string[] = [];
  room: number;
  constructor(room = 1000) {
    this.room = room;
  }
  canReceive(): number {
    return this.room;
  }
  receive(raw: Uint8Array): void {
    this.got += text(raw);
    this.room -= raw.length;
  }
  event(event: string): void {
    this.events.push(event);
  }
}

test("input waits until the front end has room, and keeps its order", () => {
  const char = new RingBufChar("r");
  const sink = new Sink(2);
  char.attach(sink);
  char.feed(bytes("abc"));
  char.feed(bytes("de"));
  expect(sink.got).toBe("ab");
  sink.room = 100;
  char.frontendReady();
  expect(sink.got).toBe("abcde");
});

test("input beyond the bound is dropped and counted", () => {
  const char = new RingBufChar("r");
  char.attach(new Sink(0));
  char.feed(new Uint8Array(100_000));
  expect(char.dropped).toBe(100_000 - 65536);
});

test("a second user of one back end is refused", () => {
  const char = new RingBufChar("serial0");
  char.attach(new Sink());
  expect(() => char.attach(new Sink())).toThrow(/"serial0" is already in use/);
});

test("a ring buffer keeps the newest bytes", () => {
  const char = new RingBufChar("r", 4);
  char.write(bytes("abcdef"));
  expect(text(char.take())).toBe("cdef");
});

test("the multiplexer switches, quits, breaks and escapes", () => {
  const below = new RingBufChar("stdio");
  let quits = 0;
  const mux = new MuxChar(below, { quit: () => quits++, commit: () => {}, milliseconds: () => 0 });
  const [serial, monitor] = [new Sink(), new Sink()];
  mux.port().attach(serial);
  mux.port().attach(monitor);
  expect(monitor.events).toEqual([]);
  below.feed(bytes("ab\x01cq\x01\x01\x01bz\x01x"));
  expect(serial.got).toBe("ab");
  expect(monitor.got).toBe("q\x01z");
  expect(monitor.events).toContain("break");
  expect(quits).toBe(1);
});

/** A client of a socket in memory. */
class Client implements HostStream {
  closed = false;
  #data: ((bytes: Uint8Array) => void) | undefined;
  readonly #gone: (() => void)[] = [];
  write = (): boolean => true;
  onData = (listener: (bytes: Uint8Array) => void): void => void (this.#data = listener);
  onDrain(): void {}
  onClose = (listener: () => void): void => void this.#gone.push(listener);
  pause(): void {}
  resume(): void {}
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const listener of this.#gone) listener();
  }
  type = (line: string): void => this.#data?.(bytes(line));
}

test("a client that comes before the last one's end is known waits for it", async () => {
  let connect = (_client: HostStream): void => {};
  const host = {
    listen: async (_address: unknown, arrived: typeof connect) => {
      connect = arrived;
      return { close: async () => {}, description: "here" };
    },
  } as unknown as CharHost;
  const options = { address: { kind: "unix" as const, path: "here" }, server: true, reconnect: 0 };
  const char = await SocketChar.open("s", host, options, false);
  const sink = new Sink();
  char.attach(sink);
  const clients = Array.from({ length: 20 }, () => new Client());
  for (const client of clients) connect(client);
  expect(clients.map((client) => client.closed)).toEqual(clients.map((_, i) => i >= 17));
  clients[0]!.type("a");
  await clients[1]!.close();
  await clients[0]!.close();
  clients[2]!.type("c");
  expect(sink.got).toBe("ac");
  expect(sink.events).toEqual(["opened", "closed", "opened"]);
  await char.close();
  expect(clients.every((client) => client.closed)).toBe(true);
});

test("timestamps start each line", () => {
  const below = new RingBufChar("stdio");
  const mux = new MuxChar(below, { quit: () => {}, commit: () => {}, milliseconds: () => 3_723_004 });
  const port = mux.port();
  below.feed(bytes("\x01t"));
  port.write(bytes("a\nb\n"));
  expect(text(below.take())).toBe("a\n[01:02:03.004] b\n");
});

test.each([
  ["stdio", { monitor: false, config: { backend: "stdio", signal: true } }],
  ["mon:stdio", { monitor: true, config: { backend: "stdio", signal: false, mux: true } }],
  ["file:/tmp/a:b", { config: { backend: "file", path: "/tmp/a:b" } }],
  ["tcp::4444,server,nowait", { config: { backend: "socket", host: "", port: 4444, server: true, wait: false } }],
  ["unix:/run/m,server=on,wait=off", { config: { backend: "socket", path: "/run/m", server: true, wait: false } }],
  ["chardev:c0", { chardev: "c0" }],
  ["none", { none: true }],
])("the short form %s", (short, expected) => {
  expect(shortForm(short)).toMatchObject(expected);
});

test("bad options say what is wrong and what would be right", () => {
  expect(() => charConfig("sokcet", {})).toThrow(CharError);
  expect(() => charConfig("sokcet", {})).toThrow(/there are: null, stdio/);
  expect(() => charConfig("file", { pth: "x" })).toThrow(
    /-chardev file: .*'path'|-chardev file: invalid parameter 'pth' \(known: .*path/,
  );
  expect(() => shortForm("stdoi")).toThrow(/write stdio, null/);
});

test.each([
  ["file", {}, "parameter 'path': needs a name"],
  ["socket", { path: "" }, "parameter 'path': needs a name, not an empty one"],
  ["socket", { host: "h", port: "x" }, "parameter 'port': expected a whole number from 0 to 65535"],
  ["socket", { host: "h", port: "" }, "parameter 'port': expected a whole number from 0 to 65535"],
  ["socket", { path: "p", reconnect: "x" }, "parameter 'reconnect': expected a whole number"],
  ["socket", { path: "p", reconnect: "1", server: "on" }, "reconnect is for clients"],
  ["socket", { path: "p", host: "h", port: "1" }, "path and host and port exclude each other"],
  ["socket", { fd: "x" }, "parameter 'fd': expected a whole number"],
  ["socket", { path: "p", telnet: "on" }, "telnet is not supported"],
  ["ringbuf", { size: "0" }, "parameter 'size': expected a whole number from 1 to 67108864"],
  ["ringbuf", { size: "3" }, "parameter 'size': expected a power of two"],
  ["null", { mux: "x" }, "parameter 'mux': expected on or off"],
  ["null", { id: "" }, "parameter 'id': expected an identifier"],
  ["null", { id: "1a" }, "parameter 'id': expected an identifier"],
])("-chardev %s %j says what is wrong", (backend, options, why) => {
  expect(() => charConfig(backend, options)).toThrow(why);
});

test.each([
  ["unix:", "needs a name"],
  ["tcp:localhost:x", "expected a whole number from 0 to 65535"],
  ["none:", "'none' takes nothing behind it"],
  ["none,x", "'none' takes nothing behind it"],
  ["null:x", "'null' takes nothing behind it"],
  ["file:", "'file:': parameter 'path': needs a name, not an empty one"],
  ["vc:axb", "expected vc:WIDTHxHEIGHT"],
])("-serial %s says what is wrong", (text, why) => {
  expect(() => shortForm(text)).toThrow(why);
});
