import { type BlockNode, BlockError, MemoryFile, FileNode, NullNode } from "@mimus/block";
import { describe, expect, test } from "vitest";

import { be, decode, encode, join, u32, u64 } from "./bytes.ts";
import type { ExportedBitmap, NbdExport } from "./index.ts";
import {
  ByteReader,
  CMD,
  CMD_FLAG,
  Haggle,
  MAGIC,
  MAX_REQUEST,
  NbdClient,
  NbdError,
  NbdServer,
  OPT,
  parseTarget,
  REP,
  streamPair,
  targetText,
} from "./index.ts";

const SIZE = 4 << 20;

async function memoryNode(size: number = SIZE): Promise<BlockNode> {
  return FileNode.open("m", new MemoryFile("m", size), { readOnly: false, locking: false } as never);
}

/** Much faster than comparing with a picture of the difference. */
function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A node whose requests fail, or take as long as the test wants. */
function wrapped(node: BlockNode, changes: Partial<BlockNode>): BlockNode {
  return Object.assign(
    {
      ...{ name: "w", size: node.size, readOnly: false, sectorSize: 512 },
      read: (at: number, into: Uint8Array) => node.read(at, into),
      write: (at: number, from: Uint8Array) => node.write(at, from),
      flush: () => node.flush(),
      close: () => node.close(),
    },
    changes,
  );
}

async function connect(
  of: Partial<NbdExport> & { node: BlockNode },
  contexts: readonly string[] = [],
): Promise<{ client: NbdClient; server: NbdServer; log: string[] }> {
  const log: string[] = [];
  const server = new NbdServer({ log: (line) => void log.push(line) });
  server.add({ name: "", writable: true, ...of });
  const [a, b] = streamPair();
  void server.serve(a);
  const haggle = await Haggle.begin(b);
  return { client: new NbdClient(await haggle.open(of.name ?? "", contexts)), server, log };
}

/** Speaks raw bytes to a server: what no client of ours would send. */
function raw(server: NbdServer): { reader: ByteReader; send: (...pieces: Uint8Array[]) => void; over: Promise<void> } {
  const [a, b] = streamPair();
  const over = server.serve(a);
  return { reader: new ByteReader(b), send: (...pieces) => void b.write([join(...pieces)]), over };
}

const option = (number: number, data: Uint8Array = new Uint8Array(0)): Uint8Array =>
  join(be(32, MAGIC.option[0]), be(32, MAGIC.option[1]), be(32, number), be(32, data.length), data);
const text = (value: string): Uint8Array => join(be(32, encode(value).length), encode(value));

async function reply(reader: ByteReader): Promise<{ type: number; data: Uint8Array }> {
  const head = await reader.take(20);
  return { type: u32(head, 12), data: await reader.take(u32(head, 16)) };
}

describe("a client and a server", () => {
  test("read back what was written, at any byte", async () => {
    const { client } = await connect({ node: await memoryNode() });
    const bytes = Uint8Array.from({ length: 100_001 }, (_, i) => i * 7);
    await client.write(12_345, bytes, CMD_FLAG.FUA);
    const back = new Uint8Array(bytes.length);
    await client.read(12_345, back);
    expect(same(back, bytes)).toBe(true);
    await client.writeZeroes(12_345, 500, 0);
    await client.trim(20_000, 1000);
    await client.flush();
    await client.read(12_345, back);
    expect(back.subarray(0, 500)).toEqual(new Uint8Array(500));
    client.close();
  });

  test("many reads at once, of all sizes, give the right bytes", async () => {
    const node = await memoryNode();
    const content = Uint8Array.from({ length: SIZE }, (_, i) => (i >>> 9) * 31 + i);
    await node.write(0, content);
    const { client } = await connect({ node });
    const reads = Array.from({ length: 240 }, async (_, i) => {
      const length = [1, 512, 4096, 40_000, 70_000, 300_000][i % 6] as number;
      const at = (i * 7919 * 13) % (SIZE - length);
      const into = new Uint8Array(length);
      await client.read(at, into);
      expect(same(into, content.subarray(at, at + length))).toBe(true);
    });
    await Promise.all(reads);
  });

  test("a long read leaves out holes, and errors in the middle of it arrive", async () => {
    const below = await memoryNode();
    await below.write(1 << 20, new Uint8Array(1000).fill(5));
    let reads = 0;
    const node = wrapped(below, {
      read: (at, into) => {
        reads += into.length;
        return below.read(at, into);
      },
      blockStatus: async (at, length) => {
        const data = Math.floor(at / 65536) === 16;
        return { length: Math.min(length, 65536 - (at % 65536)), allocated: true, data, zero: !data };
      },
    });
    const { client } = await connect({ node });
    const into = new Uint8Array(3 << 20).fill(1);
    await client.read(0, into);
    expect(into.subarray(1 << 20, (1 << 20) + 1000)).toEqual(new Uint8Array(1000).fill(5));
    expect(into.reduce((sum, b) => sum + b, 0)).toBe(5000);
    expect(reads).toBe(65536);
    const bad = wrapped(below, {
      read: async (at) => {
        if (at >= 1 << 20) throw new BlockError("io", "the disk is broken");
      },
    });
    const second = await connect({ node: bad });
    await expect(second.client.read(0, into)).rejects.toThrow(/the disk is broken/);
    await second.client.read(0, new Uint8Array(10));
  });

  test("errors have a kind and the server's words", async () => {
    const node = wrapped(await memoryNode(), {
      write: async () => {
        throw new BlockError("no-space", "the disk is full");
      },
    });
    const { client } = await connect({ node });
    await expect(client.write(0, new Uint8Array(5))).rejects.toMatchObject({ kind: "no-space" });
    await expect(client.read(SIZE - 1, new Uint8Array(2))).rejects.toThrow(/ends beyond the export/);
    const readOnly = await connect({ node, writable: false });
    await expect(readOnly.client.write(0, new Uint8Array(5))).rejects.toMatchObject({ kind: "permission" });
    await expect(readOnly.client.trim(0, 5)).rejects.toMatchObject({ kind: "permission" });
  });

  test("metadata contexts: allocation, depth, a dirty bitmap", async () => {
    const below = await memoryNode();
    const top = wrapped(below, {
      children: { backing: below },
      blockStatus: async (at, length) => ({
        ...{ length: at < 65536 ? Math.min(length, 65536 - at) : length, allocated: at < 65536, data: at < 65536 },
        zero: false,
      }),
    });
    const bitmap: ExportedBitmap = { name: "b", run: (at, length) => ({ length, dirty: at >= 100 }) };
    const names = ["base:allocation", "qemu:allocation-depth", "qemu:dirty-bitmap:b"];
    const { client } = await connect({ node: top, allocationDepth: true, bitmaps: [bitmap] }, names);
    expect([...client.contexts.keys()]).toEqual(names);
    expect(await client.status("qemu:allocation-depth", 0, SIZE)).toEqual([
      { length: 65536, flags: 1 },
      { length: SIZE - 65536, flags: 2 },
    ]);
    expect(await client.status("qemu:dirty-bitmap:b", 200, 300, CMD_FLAG.REQ_ONE)).toEqual([{ length: 300, flags: 1 }]);
    const [run] = await client.status("base:allocation", 0, 65536);
    expect(run).toEqual({ length: 65536, flags: 0 });
  });

  test("exports by name: listed, described, refused", async () => {
    const server = new NbdServer();
    const node = await memoryNode();
    server.add({ name: "", node, writable: true });
    server.add({ name: "größe", description: "with a description", node, writable: false });
    expect(() => server.add({ name: "", node, writable: true })).toThrow(/already has export/);
    const [a, b] = streamPair();
    void server.serve(a);
    const haggle = await Haggle.begin(b);
    expect(await haggle.list()).toEqual([{ name: "" }, { name: "größe", description: "with a description" }]);
    expect(await haggle.info("größe")).toMatchObject({ size: SIZE, description: "with a description", minimum: 1 });
    expect(await haggle.listContexts("größe")).toEqual(["base:allocation"]);
    await expect(haggle.open("nothing")).rejects.toThrow(/there is no export 'nothing' \(ERR_UNKNOWN\)/);
  });

  test("an export in use is taken away hard, or not at all", async () => {
    const { client, server } = await connect({ node: await memoryNode(), name: "x" });
    await client.read(0, new Uint8Array(1));
    await expect(server.remove("x", "safe")).rejects.toThrow(/still in use/);
    await server.remove("x", "hard");
    await expect(client.read(0, new Uint8Array(1))).rejects.toThrow(NbdError);
    await expect(server.remove("x", "safe")).rejects.toThrow(/not found/);
  });

  test("closing the server answers what is under way", async () => {
    let finish!: () => void;
    const node = wrapped(await memoryNode(), { read: () => new Promise<void>((resolve) => (finish = resolve)) });
    const { client, server } = await connect({ node });
    const read = client.read(0, new Uint8Array(10));
    await new Promise<void>((resolve) => void Promise.resolve().then(() => later(20, resolve)));
    const closed = server.close();
    finish();
    await read;
    await closed;
    expect(server.clients).toBe(0);
  });
});

/** Runs after so many rounds of the microtask queue. */
function later(rounds: number, act: () => void): void {
  if (rounds === 0) act();
  else void Promise.resolve().then(() => later(rounds - 1, act));
}

describe("the server's limits", () => {
  async function greeted(of?: Partial<NbdExport>): Promise<ReturnType<typeof raw> & { server: NbdServer }> {
    const server = new NbdServer();
    server.add({ name: "", node: await memoryNode(), writable: true, ...of });
    const ends = raw(server);
    const hello = await ends.reader.take(18);
    expect([u32(hello, 0), u32(hello, 4)]).toEqual([...MAGIC.init]);
    ends.send(be(32, 3));
    return { ...ends, server };
  }

  test.each([
    ["unknown option", option(77), REP.ERR_UNSUP],
    ["extended headers", option(OPT.EXTENDED_HEADERS), REP.ERR_UNSUP],
    ["LIST with data", option(OPT.LIST, new Uint8Array(3)), REP.ERR_INVALID],
    ["a long option", option(OPT.GO, new Uint8Array(70_000)), REP.ERR_TOO_BIG],
    ["a long name", option(OPT.GO, join(be(32, 4097), new Uint8Array(4099))), REP.ERR_INVALID],
    ["a name beyond its option", option(OPT.INFO, join(be(32, 4000), new Uint8Array(5))), REP.ERR_INVALID],
    ["no count", option(OPT.INFO, text("")), REP.ERR_INVALID],
    ["a count that does not fit", option(OPT.INFO, join(text(""), be(16, 9))), REP.ERR_INVALID],
    ["a name that is not UTF-8", option(OPT.INFO, join(be(32, 1), Uint8Array.of(0xff), be(16, 0))), REP.ERR_INVALID],
    ["an unknown export", option(OPT.GO, join(text("x"), be(16, 0))), REP.ERR_UNKNOWN],
    ["metadata too early", option(OPT.SET_META_CONTEXT, join(text(""), be(32, 0))), REP.ERR_INVALID],
    ["TLS that is not there", option(OPT.STARTTLS), REP.ERR_POLICY],
  ])("%s is refused, and the conversation goes on", async (_, message, type) => {
    const { send, reader } = await greeted();
    send(message, option(OPT.STRUCTURED_REPLY));
    expect((await reply(reader)).type).toBe(type);
    expect((await reply(reader)).type).toBe(REP.ACK);
  });

  test.each([
    ["a wrong magic number", new Uint8Array(16)],
    ["an option of 2^32 - 1 bytes", join(option(OPT.LIST).subarray(0, 12), be(32, 2 ** 32 - 1))],
    ["an export name of 2^20 bytes", join(option(OPT.EXPORT_NAME).subarray(0, 12), be(32, 2 ** 20))],
    ["an export that is not there", option(OPT.EXPORT_NAME, encode("nothing"))],
  ])("%s ends the connection", async (_, message) => {
    const { send, reader, over } = await greeted();
    send(message);
    await over;
    await expect(reader.take(1)).rejects.toThrow(/closed the connection/);
  });

  test("unknown client flags end the connection", async () => {
    const server = new NbdServer();
    const { send, over } = raw(server);
    send(be(32, 0x80000003));
    await over;
    expect(server.clients).toBe(0);
  });

  /** In transmission, without structured replies. */
  async function transmitting(of?: Partial<NbdExport>): Promise<Awaited<ReturnType<typeof greeted>>> {
    const ends = await greeted(of);
    ends.send(option(OPT.EXPORT_NAME));
    await ends.reader.take(10);
    return ends;
  }
  const request = (type: number, at: Uint8Array, length: number, flags = 0): Uint8Array =>
    join(be(32, MAGIC.request), be(16, flags), be(16, type), be(64, 99), at, be(32, length));
  async function simple(reader: ByteReader): Promise<number> {
    const head = await reader.take(16);
    expect([u32(head, 0), u64(head, 8)]).toEqual([MAGIC.simpleReply, 99]);
    return u32(head, 4);
  }

  test.each([
    ["an unknown command", request(42, be(64, 0), 0), 22],
    ["flags that do not belong", request(CMD.READ, be(64, 0), 1, CMD_FLAG.NO_HOLE), 22],
    ["DF without structured replies", request(CMD.READ, be(64, 0), 1, CMD_FLAG.DF), 22],
    ["a read of 2^32 - 1 bytes at 2^63", request(CMD.READ, join(be(32, 2 ** 31), be(32, 0)), 2 ** 32 - 1), 22],
    ["a read over 32 MiB", request(CMD.READ, be(64, 0), MAX_REQUEST + 1), 22],
    ["a read across the end", request(CMD.READ, be(64, SIZE - 1), 2), 22],
    ["zeroes beyond the end", request(CMD.WRITE_ZEROES, be(64, SIZE), 1), 28],
    ["block status without contexts", request(CMD.BLOCK_STATUS, be(64, 0), 512), 22],
    ["a write beyond the end", join(request(CMD.WRITE, be(64, SIZE), 3), new Uint8Array(3)), 28],
  ])("%s is an error, and the next request works", async (_, message, number) => {
    const { send, reader } = await transmitting();
    send(message);
    expect(await simple(reader)).toBe(number);
    send(request(CMD.READ, be(64, 0), 4));
    expect(await simple(reader)).toBe(0);
    expect(await reader.take(4)).toEqual(new Uint8Array(4));
  });

  test("the data of a write that is too long is passed over", async () => {
    const { send, reader } = await transmitting();
    send(request(CMD.WRITE, be(64, 0), MAX_REQUEST + 5));
    expect(await simple(reader)).toBe(22);
    for (let n = 0; n < 32; n++) send(new Uint8Array(1 << 20));
    send(new Uint8Array(5), request(CMD.READ, be(64, 0), 1));
    expect(await simple(reader)).toBe(0);
  });

  test("a request cut into single bytes is understood", async () => {
    const { send, reader } = await transmitting();
    for (const message of [
      join(request(CMD.WRITE, be(64, 10), 6), encode("mimus!")),
      request(CMD.READ, be(64, 10), 6),
    ]) {
      for (const byte of message) send(Uint8Array.of(byte));
      expect(await simple(reader)).toBe(0);
    }
    expect(decode(await reader.take(6))).toBe("mimus!");
  });

  test("a client that does not read is not served any further", async () => {
    let begun = 0;
    const node = wrapped(new NullNode("n", { driver: "null-co", size: 1 << 30, zeroes: true, readOnly: false }), {
      read: async () => void begun++,
    });
    const server = new NbdServer();
    server.add({ name: "", node, writable: true });
    const [a, b] = streamPair();
    void server.serve(a);
    b.pause();
    b.write([be(32, 3), option(OPT.EXPORT_NAME)]);
    for (let n = 0; n < 1000; n++) b.write([request(CMD.READ, be(64, 0), 1 << 20)]);
    await new Promise<void>((resolve) => later(5000, resolve));
    expect(begun).toBeGreaterThan(0);
    expect(begun).toBeLessThan(70);
    b.destroy();
  });

  test("after NBD_CMD_DISC nothing more is done", async () => {
    const { send, reader, over } = await transmitting();
    send(request(CMD.DISC, be(64, 0), 0), request(CMD.WRITE, be(64, 0), 1), new Uint8Array(1));
    await over;
    await expect(reader.take(1)).rejects.toThrow(/closed the connection/);
  });

  test("a client that leaves in the middle of a write is forgotten", async () => {
    const { send, over, server } = await transmitting();
    send(request(CMD.WRITE, be(64, 0), 1 << 20), new Uint8Array(1000));
    await new Promise<void>((resolve) => later(50, resolve));
    await server.close();
    await over;
    expect(server.clients).toBe(0);
  });

  test("clients beyond the limit are turned away; a slow handshake is cut off", async () => {
    const timers: (() => void)[] = [];
    const server = new NbdServer({
      maxClients: 1,
      after: (_, act) => {
        timers.push(act);
        return () => undefined;
      },
    });
    const first = raw(server);
    const second = raw(server);
    await second.over;
    expect(server.clients).toBe(1);
    timers[0]?.();
    await first.over;
    expect(server.clients).toBe(0);
  });
});

describe("what a server may not send", () => {
  async function client(...replies: Uint8Array[]): Promise<void> {
    const [a, b] = streamPair();
    const reader = new ByteReader(a);
    a.write([
      join(be(32, MAGIC.init[0]), be(32, MAGIC.init[1]), be(32, MAGIC.option[0]), be(32, MAGIC.option[1]), be(16, 3)),
    ]);
    const session = Haggle.begin(b).then((haggle) => haggle.open(""));
    await reader.take(4);
    await reader.take(16);
    const ack = (number: number, type: number, data: Uint8Array = new Uint8Array(0)): Uint8Array =>
      join(
        be(32, MAGIC.optionReply[0]),
        be(32, MAGIC.optionReply[1]),
        be(32, number),
        be(32, type),
        be(32, data.length),
        data,
      );
    a.write([ack(OPT.STRUCTURED_REPLY, REP.ACK)]);
    const head = await reader.take(16);
    await reader.take(u32(head, 12));
    a.write([ack(OPT.GO, REP.INFO, join(be(16, 0), be(64, 1 << 20), be(16, 0x1ed))), ack(OPT.GO, REP.ACK)]);
    const nbd = new NbdClient(await session);
    const read = nbd.read(1000, new Uint8Array(100));
    read.catch(() => undefined);
    await reader.take(28);
    a.write(replies);
    return read;
  }
  const chunk = (type: number, flags: number, data: Uint8Array, cookie = 0): Uint8Array =>
    join(be(32, MAGIC.structuredReply), be(16, flags), be(16, type), be(64, cookie), be(32, data.length), data);

  test.each([
    ["a wrong magic number", be(64, 12345)],
    ["a simple reply to a read", join(be(32, MAGIC.simpleReply), be(32, 0), be(64, 0))],
    ["an unknown cookie", chunk(1, 1, join(be(64, 1000), new Uint8Array(100)), 7)],
    ["data before the range", chunk(1, 1, join(be(64, 999), new Uint8Array(100)))],
    ["data behind the range", chunk(1, 1, join(be(64, 1001), new Uint8Array(100)))],
    ["too little data", chunk(1, 1, join(be(64, 1000), new Uint8Array(99)))],
    [
      "the same data twice",
      join(chunk(1, 0, join(be(64, 1000), new Uint8Array(60))), chunk(1, 1, join(be(64, 1000), new Uint8Array(60)))),
    ],
    ["a hole behind the range", chunk(2, 1, join(be(64, 1000), be(32, 101)))],
    ["an empty data chunk", chunk(1, 1, be(64, 1000))],
    [
      "a huge chunk",
      join(be(32, MAGIC.structuredReply), be(16, 1), be(16, 1), be(64, 0), be(32, 2 ** 32 - 1), be(64, 1000)),
    ],
    ["a huge error", join(be(32, MAGIC.structuredReply), be(16, 1), be(16, 0x8001), be(64, 0), be(32, 2 ** 31))],
    ["an error that does not fit", chunk(0x8001, 1, join(be(32, 5), be(16, 9)))],
    ["an unknown chunk", chunk(99, 1, new Uint8Array(4))],
    ["block status for a read", chunk(5, 1, new Uint8Array(12))],
  ])("%s breaks the connection with a clear error", async (_, bytes) => {
    await expect(client(bytes)).rejects.toThrow(/the server (sent|answered)/);
  });

  test("replies to one option that fill the memory: the negotiation ends", async () => {
    const [a, b] = streamPair();
    const reader = new ByteReader(a);
    a.write([
      join(be(32, MAGIC.init[0]), be(32, MAGIC.init[1]), be(32, MAGIC.option[0]), be(32, MAGIC.option[1]), be(16, 3)),
    ]);
    const session = Haggle.begin(b);
    await reader.take(4 + 16);
    const head = [be(32, MAGIC.optionReply[0]), be(32, MAGIC.optionReply[1]), be(32, OPT.STRUCTURED_REPLY)];
    // Each is as long as one may be, and all are the same array.
    const reply = join(...head, be(32, REP.INFO), be(32, 65536), new Uint8Array(65536));
    for (let n = 0; n < 400; n++) a.write([reply]);
    a.write([join(...head, be(32, REP.ACK), be(32, 0))]);
    await expect(session).rejects.toThrow("replies of more than 16777216 bytes to one option");
  });

  test("an error of the server is one, whatever its number", async () => {
    await expect(client(chunk(0x8001, 1, join(be(32, 0), be(16, 2), encode("no"))))).rejects.toThrow(/server: no/);
  });
});

describe("addresses", () => {
  test.each([
    ["nbd://h/x", { address: { type: "inet", host: "h", port: 10809 }, exportName: "x", tls: false }],
    ["nbd://h:1/a%20b", { address: { type: "inet", host: "h", port: 1 }, exportName: "a b", tls: false }],
    ["nbds://[::1]:2", { address: { type: "inet", host: "::1", port: 2 }, exportName: "", tls: true }],
    ["nbd+unix:///e?socket=/s%2fk", { address: { type: "unix", path: "/s/k" }, exportName: "e", tls: false }],
    ["nbd:unix:/s:exportname=e", { address: { type: "unix", path: "/s" }, exportName: "e", tls: false }],
    ["nbd:h:3:exportname=a:b", { address: { type: "inet", host: "h", port: 3 }, exportName: "a:b", tls: false }],
  ])("%s", (uri, target) => {
    expect(parseTarget(uri)).toEqual(target);
    expect(parseTarget(targetText(parseTarget(uri)))).toEqual(target);
  });
  test.each([
    "nbd://h:0/",
    "nbd:h",
    "nbd:h:x",
    "nbd+unix:///e",
    "nbd://h/%zz",
    "nbd+unix://h/e?socket=s",
    "nbd://h?q=1",
  ])("%s is refused", (uri) => {
    expect(() => parseTarget(uri)).toThrow(BlockError);
  });
});

test.each(["", "abc", "größe", "€", "😀a"])("UTF-8 of '%s'", (value) => {
  expect(decode(encode(value))).toBe(value);
});
test.each([[0x80], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf8], [0xc3]])(
  "bytes %j... are not UTF-8",
  (...bytes) => {
    expect(decode(Uint8Array.from(bytes))).toBeUndefined();
  },
);
