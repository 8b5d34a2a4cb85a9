import { describe, expect, it } from "vitest";

import { encodeUtf8 } from "../memory/address-space.ts";
import { POLL } from "./constants.ts";
import { createPipe, createSocketPair, PIPE_BUF, PIPE_SIZE } from "./pipe.ts";

const EAGAIN = -11;
const EPIPE = -32;

describe("a pipe", () => {
  it("keeps the order of bytes around its ring", () => {
    const [reader, writer] = createPipe();
    let next = 0;
    let seen = 0;
    let wrong = 0;
    for (let round = 0; round < 50; round++) {
      const bytes = Uint8Array.from({ length: 4001 + round }, () => next++ & 255);
      expect(writer.write(bytes, -1)).toBe(bytes.length);
      const got = new Uint8Array(4000 + round);
      expect(reader.read(got, -1)).toBe(got.length);
      for (const byte of got) if (byte !== (seen++ & 255)) wrong++;
    }
    expect(wrong).toBe(0);
  });

  it("divides no small write", () => {
    const [, writer] = createPipe();
    expect(writer.write(new Uint8Array(PIPE_SIZE - 10), -1)).toBe(PIPE_SIZE - 10);
    expect(writer.write(new Uint8Array(PIPE_BUF), -1)).toBe(EAGAIN);
    expect(writer.write(new Uint8Array(PIPE_BUF + 1), -1)).toBe(10);
  });

  it("tells who waits", () => {
    const [reader, writer] = createPipe();
    let woken = 0;
    const stop = reader.wait(POLL.IN, () => woken++);
    writer.write(encodeUtf8("x"), -1);
    expect([woken, reader.ready(), reader.available()]).toEqual([1, POLL.IN | POLL.RDNORM, 1]);
    stop();
    writer.write(encodeUtf8("x"), -1);
    expect(woken).toBe(1);
  });

  it("ends when the writer is gone, after what it wrote", () => {
    const [reader, writer] = createPipe();
    const into = new Uint8Array(5);
    expect(reader.read(into, -1)).toBe(EAGAIN);
    writer.write(encodeUtf8("x"), -1);
    writer.close();
    expect(reader.ready() & POLL.HUP).toBe(POLL.HUP);
    expect([reader.read(into, -1), reader.read(into, -1)]).toEqual([1, 0]);
  });

  it("breaks when the reader is gone", () => {
    const [reader, writer] = createPipe();
    reader.close();
    expect(writer.write(encodeUtf8("x"), -1)).toBe(EPIPE);
    expect(writer.ready() & POLL.ERR).toBe(POLL.ERR);
  });
});

describe("a pair of sockets", () => {
  it("goes both ways", () => {
    const [a, b] = createSocketPair();
    a.write(encodeUtf8("to"), -1);
    b.write(encodeUtf8("fro"), -1);
    const into = new Uint8Array(9);
    expect([a.read(into, -1), b.read(into, -1)]).toEqual([3, 2]);
    b.close();
    expect([a.read(into, -1), a.write(into, -1)]).toEqual([0, EPIPE]);
  });
});
