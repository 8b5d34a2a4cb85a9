import { openChar, charConfig } from "@mimus/chardev";
import { expect, test } from "vitest";

import { webChars } from "./chars.ts";
import { terminalStream, type TerminalLike } from "./terminal.ts";

/** A terminal that draws when it is told to. */
class SlowTerminal implements TerminalLike {
  shown = "";
  #waiting: (() => void)[] = [];
  #typed: (text: string) => void = () => {};
  #binary: (text: string) => void = () => {};
  write(bytes: Uint8Array, done?: () => void): void {
    this.shown += new TextDecoder().decode(bytes);
    if (done !== undefined) this.#waiting.push(done);
  }
  onData(listener: (text: string) => void): void {
    this.#typed = listener;
  }
  onBinary(listener: (text: string) => void): void {
    this.#binary = listener;
  }
  type(text: string): void {
    this.#typed(text);
  }
  report(text: string): void {
    this.#binary(text);
  }
  draw(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

test("output is drawn, typed text comes as UTF-8, binary input as it is", () => {
  const terminal = new SlowTerminal();
  const stream = terminalStream(terminal);
  const got: number[] = [];
  stream.onData((bytes) => got.push(...bytes));
  expect(stream.write(new TextEncoder().encode("hello"))).toBe(true);
  expect(terminal.shown).toBe("hello");
  terminal.type("é");
  terminal.report("\u001b[M\u00e9");
  expect(got).toEqual([0xc3, 0xa9, 0x1b, 0x5b, 0x4d, 0xe9]);
});

test("a terminal that cannot keep up holds the guest back", () => {
  const terminal = new SlowTerminal();
  const stream = terminalStream(terminal);
  let drained = 0;
  stream.onDrain(() => drained++);
  const part = new Uint8Array(50_000).fill(65);
  expect([stream.write(part), stream.write(part), stream.write(part)]).toEqual([true, true, false]);
  terminal.draw();
  expect(drained).toBe(1);
  expect(stream.write(part)).toBe(true);
});

test("input waits while the guest does not read, and keeps its order", () => {
  const terminal = new SlowTerminal();
  const stream = terminalStream(terminal);
  let got = "";
  stream.onData((bytes) => (got += new TextDecoder().decode(bytes)));
  stream.pause();
  terminal.type("a");
  terminal.type("b");
  expect(got).toBe("");
  stream.resume();
  terminal.type("c");
  expect(got).toBe("abc");
});

test("a closed stream is silent", async () => {
  const terminal = new SlowTerminal();
  const stream = terminalStream(terminal);
  let closed = 0;
  stream.onClose(() => closed++);
  stream.onData(() => expect.fail("input after close"));
  await stream.close();
  terminal.type("x");
  stream.write(new Uint8Array([65]));
  expect([closed, terminal.shown]).toEqual([1, ""]);
});

test("stdio is the terminal; what a page cannot have is refused in one line", async () => {
  const terminal = new SlowTerminal();
  const host = webChars({ terminal });
  const serial = await openChar("serial0", charConfig("stdio", {}), host);
  let got = "";
  serial.attach({ canReceive: () => 1, receive: (bytes) => (got += String.fromCharCode(...bytes)) });
  terminal.type("ls\r");
  expect(got).toBe("ls\r");
  expect(serial.write(new TextEncoder().encode("file"))).toBe(4);
  expect(terminal.shown).toBe("file");

  for (const [backend, options] of [
    ["file", { path: "log" }],
    ["pipe", { path: "fifo" }],
    ["pty", {}],
    ["socket", { host: "localhost", port: "23" }],
    ["socket", { path: "/tmp/s", server: "on" }],
  ] as const)
    await expect(openChar("c", charConfig(backend, options), host)).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(/is not available in a browser; use /),
    });
  expect(() => webChars().stdio({ signal: true })).toThrow("this page has none");
});
