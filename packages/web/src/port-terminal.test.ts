import { terminalStream } from "@mimus/host-web";
import { expect, test } from "vitest";

import { PortTerminal } from "./port-terminal.ts";
import type { FromMachine } from "./protocol.ts";

test("what is written in one stretch goes as one message, and is acknowledged as one", async () => {
  const posted: FromMachine[] = [];
  const terminal = new PortTerminal((message) => posted.push(message));
  const done: string[] = [];
  terminal.write(Uint8Array.of(1, 2), () => done.push("a"));
  terminal.write(Uint8Array.of(3), () => done.push("b"));
  await Promise.resolve();
  terminal.write(Uint8Array.of(4));
  await Promise.resolve();
  expect(posted).toEqual([
    { type: "output", bytes: Uint8Array.of(1, 2, 3) },
    { type: "output", bytes: Uint8Array.of(4) },
  ]);
  expect(done).toEqual([]);
  terminal.drawn();
  expect(done).toEqual(["a", "b"]);
  terminal.drawn();
  terminal.drawn();
});

test("a page that draws nothing holds the guest back", async () => {
  const posted: FromMachine[] = [];
  const terminal = new PortTerminal((message) => posted.push(message));
  const stream = terminalStream(terminal);
  let drained = 0;
  stream.onDrain(() => drained++);
  for (let i = 0; i < 3; i++) {
    stream.write(new Uint8Array(50_000));
    await Promise.resolve();
  }
  expect(stream.write(new Uint8Array(1))).toBe(false);
  await Promise.resolve();
  for (let i = 0; i < posted.length; i++) terminal.drawn();
  expect(drained).toBe(1);
});

test("input reaches the stream", () => {
  const terminal = new PortTerminal(() => {});
  const got: number[] = [];
  terminalStream(terminal).onData((bytes) => got.push(...bytes));
  terminal.typed("ä");
  terminal.reported("\u00e4");
  expect(got).toEqual([0xc3, 0xa4, 0xe4]);
});
