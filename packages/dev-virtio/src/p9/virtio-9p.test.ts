import { describe, expect, it } from "vitest";
import { rig, settle, WAYS } from "../../tests/rig.ts";
import { Reader, Writer } from "./codec.ts";
import { S_IFDIR } from "./host.ts";
import { MemoryDirectory } from "./memory-directory.ts";
import { P9Server } from "./server.ts";

const text = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** A client that speaks to a server directly. An error is the negative number. */
class Client {
  readonly server: P9Server;
  #tag = 0;
  constructor(server: P9Server) {
    this.server = server;
  }
  async call(type: number, build: (w: Writer) => unknown): Promise<Reader | number> {
    const w = new Writer();
    build(w);
    const reply = await this.server.handle(w.done(type, ++this.#tag));
    if (reply[4] === 7) return -new Reader(reply, 7).u32();
    expect([reply[4], (reply[5]! | (reply[6]! << 8)) >>> 0]).toEqual([type + 1, this.#tag]);
    return new Reader(reply, 7);
  }
  async start(): Promise<this> {
    const r = (await this.call(100, (w) => w.u32(65536).text("9P2000.L"))) as Reader;
    expect([r.u32(), r.text()]).toEqual([65536, "9P2000.L"]);
    await this.call(104, (w) => w.u32(0).u32(0xffffffff).text("root").text("").u32(0));
    return this;
  }
  walk(from: number, to: number, ...names: string[]): Promise<Reader | number> {
    return this.call(110, (w) => {
      w.u32(from).u32(to).u16(names.length);
      for (const n of names) w.text(n);
    });
  }
  open(fid: number, flags = 0): Promise<Reader | number> {
    return this.call(12, (w) => w.u32(fid).u32(flags));
  }
  async read(fid: number, at = 0, count = 1000): Promise<string | number> {
    const r = await this.call(116, (w) => w.u32(fid).u64(at).u32(count));
    return typeof r === "number" ? r : String.fromCharCode(...r.bytes(r.u32()));
  }
  write(fid: number, at: number, data: string): Promise<Reader | number> {
    return this.call(118, (w) => w.u32(fid).u64(at).u32(data.length).put(text(data)));
  }
  async names(fid: number): Promise<string[]> {
    const out: string[] = [];
    for (let offset = 0; ;) {
      const r = (await this.call(40, (w) => w.u32(fid).u64(offset).u32(200))) as Reader;
      const n = r.u32();
      if (n === 0) return out;
      const body = new Reader(r.bytes(n));
      for (let left = n; left > 0;) {
        body.bytes(13);
        offset = body.u64();
        body.u8();
        const name = body.text();
        out.push(name);
        left -= 24 + name.length;
      }
    }
  }
}

function tree(opts = {}): MemoryDirectory {
  return new MemoryDirectory(opts)
    .add("hello.txt", text("hello world"))
    .add("sub/inner", text("inside"))
    .add("out", "/etc/passwd")
    .add("up", "../..");
}
const client = (dir = tree()): Promise<Client> => new Client(new P9Server(dir)).start();

describe("9p", () => {
  it("walks, reads and lists", async () => {
    const c = await client();
    await c.walk(0, 1, "hello.txt");
    await c.open(1);
    expect([await c.read(1), await c.read(1, 6, 3), await c.read(1, 50)]).toEqual(["hello world", "wor", ""]);
    await c.walk(0, 2);
    await c.open(2, 0x10000);
    expect(await c.names(2)).toEqual([".", "..", "hello.txt", "sub", "out", "up"]);
    const r = (await c.call(24, (w) => w.u32(1).u64(0x7ff))) as Reader;
    r.bytes(8 + 13);
    expect(r.u32()).toBe(0o100644);
  });

  it("never leaves its folder", async () => {
    const c = await client();
    const up = (await c.walk(0, 1, "..", "..", "sub", "..", "..", "hello.txt")) as Reader;
    expect(up.u16()).toBe(6);
    await c.open(1);
    expect(await c.read(1)).toBe("hello world");
    for (const name of ["../x", "/etc", "a/b", "", "a\0b"]) expect(await c.walk(0, 9, name)).toBeLessThan(0);
    // A symbolic link is never followed: as a step it is no folder, and it is not opened.
    const partial = (await c.walk(0, 9, "up", "x")) as Reader;
    expect(partial.u16()).toBe(1);
    await c.walk(0, 3, "out");
    expect(await c.open(3)).toBe(-6);
    const link = (await c.call(22, (w) => w.u32(3))) as Reader;
    expect(link.text()).toBe("/etc/passwd");
    for (const bad of ["..", ".", "a/b", "../x"]) {
      expect(await c.call(72, (w) => w.u32(0).text(bad).u32(0o755).u32(0))).toBeLessThan(0);
      expect(await c.call(16, (w) => w.u32(0).text(bad).text("t").u32(0))).toBeLessThan(0);
      expect(await c.call(76, (w) => w.u32(0).text(bad).u32(0))).toBeLessThan(0);
      expect(await c.call(74, (w) => w.u32(0).text("hello.txt").u32(0).text(bad))).toBeLessThan(0);
    }
  });

  it("does not open special files", async () => {
    const c = await client(tree().add("fifo", { mode: 0o010644 }));
    await c.walk(0, 1, "fifo");
    expect(await c.open(1)).toBe(-6);
    expect(await c.call(18, (w) => w.u32(0).text("dev").u32(0o20666).u32(1).u32(3).u32(0))).toBe(-95);
  });

  it("makes, writes, renames and removes", async () => {
    const c = await client();
    await c.walk(0, 1, "sub");
    await c.call(14, (w) => w.u32(1).text("new").u32(2).u32(0o600).u32(0));
    await c.write(1, 0, "abc");
    await c.write(1, 5, "de");
    expect(await c.read(1)).toBe("abc\0\0de");
    await c.walk(0, 2, "sub");
    await c.walk(0, 3, "sub", "new");
    await c.call(74, (w) => w.u32(2).text("new").u32(0).text("moved"));
    await c.open(3);
    expect(await c.read(3)).toBe("abc\0\0de");
    expect(await c.call(122, (w) => w.u32(3))).not.toBeTypeOf("number");
    expect(await c.walk(0, 4, "moved")).toBe(-2);
    expect(await c.call(76, (w) => w.u32(0).text("sub").u32(0x200))).toBe(-39);
    expect(await c.call(20, (w) => w.u32(2).u32(2).text("loop"))).toBe(-22);
    expect(await c.call(26, (w) => w.u32(2).u32(8).u32(0).u32(0).u32(0).u64(0).u64(0).u64(0).u64(0).u64(0))).toBe(-21);
  });

  it("writes nothing when it is read-only", async () => {
    const c = await client(tree({ readOnly: true }));
    await c.walk(0, 1, "hello.txt");
    expect([await c.open(1, 2), await c.open(1, 0x200)]).toEqual([-30, -30]);
    await c.open(1);
    expect(await c.write(1, 0, "x")).toBe(-30);
    expect(await c.call(72, (w) => w.u32(0).text("d").u32(0o755).u32(0))).toBe(-30);
    expect(await c.call(122, (w) => w.u32(1))).toBe(-30);
  });

  it("answers errors for what makes no sense", async () => {
    const fresh = new Client(new P9Server(tree()));
    expect(await fresh.call(104, (w) => w.u32(0).u32(0).text("").text("").u32(0))).toBe(-71);
    const c = await client();
    expect(await c.walk(77, 1)).toBe(-9);
    expect(await c.walk(0, 0)).not.toBeTypeOf("number");
    expect(await c.call(110, (w) => w.u32(0).u32(1).u16(17))).toBe(-22);
    expect(await c.call(110, (w) => w.u32(0))).toBe(-71);
    expect(await c.call(116, (w) => w.u32(0).u64(0).u32(9))).toBe(-9);
    expect(await c.call(116, (w) => w.u32(0).u32(0).u32(0xffffffff).u32(9))).toBe(-75);
    expect(await c.call(99, () => undefined)).toBe(-95);
    for (let n = 0; n < 128; n++) await c.server.handle(new Writer().done(n, 1));
    await c.server.handle(new Uint8Array(7));
  });

  it("lives through a storm of random messages", async () => {
    const server = new P9Server(tree());
    await new Client(server).start();
    let seed = 7;
    const rnd = (n: number): number => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % n;
    for (let i = 0; i < 5000; i++) {
      const w = new Writer();
      for (let n = rnd(40); n > 0; n--) w.u8(rnd(4) === 0 ? rnd(256) : rnd(3));
      const type = rnd(64) * 2 + (rnd(8) === 0 ? 1 : 0);
      await server.handle(w.done(type === 100 ? 110 : type, rnd(65536)));
    }
  });

  it.each(WAYS)("goes through the device, $name", async (way) => {
    const r = rig(
      "virtio-9p-device",
      { fsdev: "f0", mount_tag: "share" },
      { legacy: way.legacy, backends: { fsdev: { f0: tree() } } },
    );
    r.driver.start(1, 128, { packed: way.packed, features: [0] });
    expect([r.driver.read(0x100), r.driver.read(0x08)]).toEqual([0x68730005, 9]);
    const q = r.driver.queues[0]!;
    const send = async (m: Uint8Array): Promise<Uint8Array> => {
      const b = q.add([m], [11, 8000]);
      r.driver.kick(0);
      await settle();
      expect(q.take()?.id).toBe(b.id);
      return q.contents(b);
    };
    const v = await send(new Writer().u32(8192).text("9P2000.L").done(100, 0xffff));
    expect(String.fromCharCode(...v.subarray(13, 21))).toBe("9P2000.L");
    const a = await send(new Writer().u32(0).u32(0xffffffff).text("").text("").u32(0).done(104, 1));
    expect([a[4], a[7]]).toEqual([105, 0x80]);
    q.add([new Uint8Array(3)], [100]);
    r.driver.kick(0);
    await settle();
    expect(q.take()).toBeUndefined();
    expect(S_IFDIR).toBe(0o40000);
  });
});
