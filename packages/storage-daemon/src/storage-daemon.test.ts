import block, { BlockGraph, MemoryFiles } from "@mimus/block";
import { BaseChar } from "@mimus/chardev";
import type { ByteStream, StreamAddress } from "@mimus/nbd";
import { decode, encode, Haggle, NbdClient, streamPair } from "@mimus/nbd";
import { Registry } from "@mimus/qom";
import { describe, expect, test } from "vitest";

import { StorageDaemon } from "./index.ts";
import { JsonSplitter } from "./json-splitter.ts";

/** The client's end of a monitor. */
class Wire extends BaseChar {
  text = "";
  constructor() {
    super("wire");
  }
  override write(bytes: Uint8Array): number {
    this.text += decode(bytes) ?? "?";
    return bytes.length;
  }
  override async close(): Promise<void> {}
  send(text: string): void {
    this.input(encode(text));
  }
  /** Messages so far. */
  get messages(): Record<string, unknown>[] {
    return this.text
      .split("\r\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

interface Rig {
  readonly daemon: StorageDaemon;
  readonly wire: Wire;
  readonly connect: () => ByteStream;
  readonly listening: StreamAddress[];
  quits: number;
  /** The answer to a command. */
  ask(execute: string, args?: unknown): Promise<unknown>;
}

async function setup(): Promise<Rig> {
  const files = new MemoryFiles().add("d.img", 1 << 20);
  const graph = new BlockGraph({ registry: new Registry().use(block), files, warn: () => undefined });
  await graph.open({ driver: "raw", "node-name": "d", file: { driver: "file", filename: "d.img" } });
  let onClient: ((stream: ByteStream) => void) | undefined;
  const listening: StreamAddress[] = [];
  const daemon = new StorageDaemon({
    graph,
    version: "1.2.3",
    sockets: {
      connect: () => Promise.reject(new Error("no")),
      listen: async (address, take) => {
        listening.push(address);
        onClient = take;
        return { address, close: async () => void (onClient = undefined) };
      },
    },
    tls: () => Promise.reject(new Error("no credentials")),
    now: () => 1_500,
    addObject: () => undefined,
    removeObject: () => undefined,
    quit: () => void rig.quits++,
  });
  const wire = new Wire();
  daemon.addMonitor(wire, false);
  let id = 0;
  const rig: Rig = {
    ...{ daemon, wire, listening, quits: 0 },
    connect() {
      const [a, b] = streamPair();
      onClient?.(a);
      return b;
    },
    async ask(execute, args) {
      const mine = ++id;
      wire.send(JSON.stringify({ execute, id: mine, ...(args === undefined ? {} : { arguments: args }) }));
      for (let n = 0; n < 200; n++) {
        const found = wire.messages.find((m) => m["id"] === mine);
        if (found !== undefined) return found["return"] ?? found["error"];
        await new Promise<void>((resolve) => void Promise.resolve().then(resolve));
      }
      throw new Error(`no answer to ${execute}: ${wire.text}`);
    },
  };
  return rig;
}

const unix = { addr: { type: "unix", data: { path: "/s" } } };

describe("the monitor", () => {
  test("greets, wants capabilities first, and answers in order", async () => {
    const { wire, ask } = await setup();
    expect(wire.messages).toEqual([
      { QMP: { version: { qemu: { micro: 3, minor: 2, major: 1 }, package: "Mimus 1.2.3" }, capabilities: [] } },
    ]);
    expect(await ask("query-version")).toMatchObject({ class: "CommandNotFound" });
    expect(await ask("qmp_capabilities")).toEqual({});
    expect(await ask("qmp_capabilities")).toMatchObject({ class: "CommandNotFound" });
    expect(await ask("nope")).toEqual({ class: "CommandNotFound", desc: "The command nope has not been found" });
    expect(await ask("query-block-exports", { x: 1 })).toMatchObject({ desc: "Parameter 'x' is unexpected" });
    expect((await ask("query-commands")) as unknown[]).toContainEqual({ name: "block-export-add" });
  });

  test("is not confused by anything between two commands", async () => {
    const { wire, ask } = await setup();
    await ask("qmp_capabilities");
    wire.send('xyz [1] {"execute":3} {"execute":"quit","nope":1} {"a":"}\\"{"} {"execute":"quit","arguments":[]}');
    await ask("query-version");
    expect(wire.messages.slice(2, -1).map((m) => (m["error"] as { desc: string }).desc)).toEqual([
      "JSON parse error, stray 'x' in input",
      "QMP input must be a JSON object",
      "QMP input lacks member 'execute'",
      "QMP input member 'nope' is unexpected",
      "QMP input member 'a' is unexpected",
      "QMP input member 'arguments' must be an object",
    ]);
  });

  test("describes its commands, and the options of the drivers that it has", async () => {
    const { ask } = await setup();
    await ask("qmp_capabilities");
    interface Info {
      readonly name: string;
      readonly "meta-type": string;
      readonly "arg-type"?: string;
      readonly "element-type"?: string;
      readonly members?: readonly { readonly name?: string; readonly type?: string; readonly default?: null }[];
      readonly variants?: readonly { readonly case: string; readonly type: string }[];
    }
    const list = (await ask("query-qmp-schema")) as Info[];
    const info = (name: string | undefined): Info => {
      const found = list.filter((each) => each.name === name);
      expect([name, found.length]).toEqual([name, 1]);
      return found[0] as Info;
    };
    const names = ((await ask("query-commands")) as { name: string }[]).map((c) => c.name);
    const commands = list.filter((each) => each["meta-type"] === "command").map((c) => c.name);
    expect(commands.toSorted()).toEqual(names);
    expect(commands).toEqual(expect.arrayContaining(["blockdev-add", "block-export-add", "job-dismiss"]));
    // As libvirt looks: blockdev-add/arg-type/+raw/offset, ...
    const add = info(info("blockdev-add")["arg-type"]);
    const variant = (of: string): Info => info(add.variants?.find((v) => v.case === of)?.type);
    const member = (of: Info, name: string): unknown => of.members?.find((m) => m.name === name);
    expect(member(add, "node-name")).toEqual({ name: "node-name", type: "str", default: null });
    expect(member(variant("raw"), "offset")).toEqual({ name: "offset", type: "int", default: null });
    expect(member(variant("file"), "filename")).toEqual({ name: "filename", type: "str" });
    expect(member(variant("blkdebug"), "image")).not.toHaveProperty("default");
    expect(member(info(info("block-dirty-bitmap-add")["arg-type"]), "persistent")).toMatchObject({ type: "bool" });
    expect(info("JOB_STATUS_CHANGE")["meta-type"]).toBe("event");
    // Everything that is named is described.
    for (const each of list) {
      const inside = [...(each.members ?? []), ...(each.variants ?? [])].map((m) => m.type);
      for (const type of [each["arg-type"], each["element-type"], ...inside]) if (type !== undefined) info(type);
    }
  });

  test("asks the process to end", async () => {
    const rig = await setup();
    await rig.ask("qmp_capabilities");
    await rig.ask("quit");
    expect(rig.quits).toBe(1);
  });
});

describe("exports", () => {
  test("are added, used, listed, removed; the node stays busy meanwhile", async () => {
    const rig = await setup();
    await rig.ask("qmp_capabilities");
    expect(await rig.ask("block-export-add", { type: "nbd", id: "e", "node-name": "d" })).toMatchObject({
      desc: "NBD server not running",
    });
    expect(await rig.ask("nbd-server-start", unix)).toEqual({});
    expect(rig.listening).toEqual([{ type: "unix", path: "/s" }]);
    expect(await rig.ask("nbd-server-start", unix)).toMatchObject({ desc: "NBD server already running" });
    const add = { type: "nbd", id: "e", "node-name": "d", writable: true, name: "x", writethrough: true };
    expect(await rig.ask("block-export-add", add)).toEqual({});
    expect(await rig.ask("block-export-add", add)).toMatchObject({ desc: "Block export id 'e' is already in use" });
    expect(await rig.ask("blockdev-del", { "node-name": "d" })).toMatchObject({ class: "GenericError" });
    expect(await rig.ask("query-block-exports")).toEqual([
      { "node-name": "d", "shutting-down": false, type: "nbd", id: "e" },
    ]);
    const client = new NbdClient(await (await Haggle.begin(rig.connect())).open("x"));
    await client.write(100, Uint8Array.of(1, 2, 3));
    const into = new Uint8Array(3);
    await client.read(100, into);
    expect([...into]).toEqual([1, 2, 3]);
    expect(await rig.ask("block-export-del", { id: "e" })).toMatchObject({ desc: "export 'x' still in use" });
    expect(await rig.ask("block-export-del", { id: "e", mode: "hard" })).toEqual({});
    expect(rig.wire.messages.find((m) => m["event"] === "BLOCK_EXPORT_DELETED")).toEqual({
      ...{ timestamp: { seconds: 1, microseconds: 500_000 }, event: "BLOCK_EXPORT_DELETED", data: { id: "e" } },
    });
    expect(await rig.ask("nbd-server-stop")).toEqual({});
    expect(await rig.ask("blockdev-del", { "node-name": "d" })).toEqual({});
    await rig.daemon.close();
  });

  test("a dirty bitmap is offered, and held", async () => {
    const rig = await setup();
    await rig.ask("qmp_capabilities");
    await rig.ask("nbd-server-start", unix);
    await rig.ask("block-dirty-bitmap-add", { node: "d", name: "b", granularity: 65536 });
    await rig.daemon.control.graph.node("d").write(70_000, new Uint8Array(10));
    const add = { type: "nbd", id: "e", "node-name": "d", name: "x", bitmaps: ["b"] };
    expect(await rig.ask("block-export-add", add)).toMatchObject({
      desc: "Enabled bitmap 'b' incompatible with readonly export",
    });
    await rig.ask("block-dirty-bitmap-disable", { node: "d", name: "b" });
    expect(await rig.ask("block-export-add", add)).toEqual({});
    expect(await rig.ask("block-dirty-bitmap-clear", { node: "d", name: "b" })).toMatchObject({
      desc: expect.stringMatching(/in use/) as string,
    });
    const context = "qemu:dirty-bitmap:b";
    const client = new NbdClient(await (await Haggle.begin(rig.connect())).open("x", [context]));
    expect(await client.status(context, 0, 1 << 20)).toEqual([
      { length: 65536, flags: 0 },
      { length: 65536, flags: 1 },
      { length: (1 << 20) - 131072, flags: 0 },
    ]);
    await rig.daemon.close();
  });

  test("other kinds and wrong options are refused with a reason", async () => {
    const { ask } = await setup();
    await ask("qmp_capabilities");
    await ask("nbd-server-start", unix);
    expect(await ask("block-export-add", { type: "fuse", id: "e", "node-name": "d", mountpoint: "/m" })).toMatchObject({
      desc: expect.stringMatching(/use type=nbd/) as string,
    });
    expect(await ask("block-export-add", { type: "nbd", id: "1", "node-name": "d" })).toMatchObject({
      desc: expect.stringMatching(/'id'/) as string,
    });
    expect(await ask("block-export-add", { type: "nbd", id: "e", "node-name": "none" })).toMatchObject({
      desc: expect.stringMatching(/node-name='none'/) as string,
    });
    expect(await ask("nbd-server-remove", { name: "none" })).toMatchObject({ desc: "Export 'none' is not found" });
    expect(await ask("nbd-server-add", { device: "d" })).toEqual({});
    expect(await ask("nbd-server-add", { device: "d", name: "a name" })).toEqual({});
    expect(await ask("query-block-exports")).toMatchObject([{ id: "a name" }, { id: "d" }]);
    expect(await ask("nbd-server-remove", { name: "d" })).toEqual({});
  });
});

test("JSON that is too long or too deep is passed over", () => {
  const splitter = new JsonSplitter();
  expect(splitter.push(encode("[".repeat(300)))).toEqual([{ error: "JSON nesting depth limit exceeded" }]);
  const long = new JsonSplitter();
  const pieces = long.push(encode(`{"a":"${"x".repeat(1 << 20)}"}\n{"b":1}`));
  expect(pieces).toEqual([{ error: "JSON token size limit exceeded" }, { text: '{"b":1}' }]);
});
