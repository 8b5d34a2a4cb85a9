import { BlockError } from "@mimus/block";
import type { BlockControl } from "@mimus/monitor";
import { blockCommand as command, checkArguments, nodeOf } from "@mimus/monitor";
import type { BlockCommand } from "@mimus/monitor";
import type { HeldBitmap, StreamAddress, StreamHost, StreamListener, TlsCredentials } from "@mimus/nbd";
import { holdBitmap, NbdServer, writeThrough } from "@mimus/nbd";
import { z } from "zod";

/** What exports need of the host. */
export interface ExportHost {
  /** Where clients come from. */
  readonly sockets: StreamHost;
  /** Credentials of a tls-creds object; `authz`: id of the object that says who may come. */
  tls(id: string, authz: string | undefined): Promise<TlsCredentials>;
  readonly after?: (milliseconds: number, act: () => void) => () => void;
  readonly log?: (message: string) => void;
}

const port = z.union([z.string(), z.number()]);
/** Source: QEMU 7.2, qapi/sockets.json, SocketAddress and SocketAddressLegacy. */
const Address = z.looseObject({ type: z.enum(["inet", "unix", "fd"]) });
const Inet = z.looseObject({ host: z.string(), port });
const Unix = z.looseObject({ path: z.string() });
const Fd = z.looseObject({ str: z.string() });

const serverShape = {
  addr: Address,
  "tls-creds": z.string().optional(),
  "tls-authz": z.string().optional(),
  "max-connections": z.coerce.number().int().min(0).optional(),
};
/** Options of an NBD server: QEMU 7.2, qapi/block-export.json, NbdServerOptions. */
const ServerStart = z.strictObject(serverShape);
const flag = z.preprocess((v) => (v === "on" ? true : v === "off" ? false : v), z.boolean());
const bitmap = z.union([z.string(), z.strictObject({ node: z.string(), name: z.string() })]);
const common = {
  description: z.string().max(4096).optional(),
  bitmaps: z.array(bitmap).optional(),
  "allocation-depth": flag.optional(),
};
const ExportAdd = z.strictObject({
  type: z.string(),
  id: z.string().regex(/^[A-Za-z][A-Za-z0-9._-]*$/, "an identifier"),
  "node-name": z.string(),
  writable: flag.optional(),
  writethrough: flag.optional(),
  iothread: z.string().optional(),
  "fixed-iothread": flag.optional(),
  name: z.string().max(4096).optional(),
  ...common,
});
const ServerAdd = z.strictObject({
  device: z.string(),
  name: z.string().max(4096).optional(),
  writable: flag.optional(),
  bitmap: z.string().optional(),
  description: z.string().max(4096).optional(),
});
const mode = z.enum(["safe", "hard"]).default("safe");
const ExportDel = z.strictObject({ id: z.string(), mode });
const ServerRemove = z.strictObject({ name: z.string(), mode });
const None = z.strictObject({});

interface BlockExport {
  readonly id: string;
  readonly name: string;
  readonly node: ReturnType<typeof nodeOf>;
  readonly bitmaps: readonly HeldBitmap[];
}

/** The NBD server of a process and what it exports. Source of the commands: QEMU 7.2, qapi/block-export.json. */
export class BlockExports {
  readonly #control: BlockControl;
  readonly #host: ExportHost;
  readonly #exports: Map<string, BlockExport> = new Map();
  #server: NbdServer | undefined;
  #listener: StreamListener | undefined;

  constructor(control: BlockControl, host: ExportHost) {
    this.#control = control;
    this.#host = host;
  }

  /** The commands, by name. */
  commands(): ReadonlyMap<string, BlockCommand> {
    const list = [
      command("nbd-server-start", ServerStart, (_, args) => this.start(args)),
      command("nbd-server-stop", None, () => this.stop()),
      command("nbd-server-add", ServerAdd, (_, { device, name = device, bitmap: one, ...rest }) =>
        this.#add(name, {
          ...{ "node-name": nodeOf(this.#control, device).name, name },
          ...{ ...rest, ...(one === undefined ? {} : { bitmaps: [one] }) },
        }),
      ),
      command("nbd-server-remove", ServerRemove, (_, { name, mode: how }) => {
        const found = [...this.#exports.values()].find((e) => e.name === name);
        if (found === undefined) throw new BlockError("not-found", `Export '${name}' is not found`);
        return this.remove(found.id, how);
      }),
      command("block-export-add", z.looseObject({}), (_, args) => this.add(args)),
      command("block-export-del", ExportDel, (_, { id, mode: how }) => this.remove(id, how)),
      command("query-block-exports", None, () => this.query()),
    ];
    return new Map(list.map((c) => [c.name, c]));
  }

  /** @throws BlockError */
  async start(options: unknown): Promise<void> {
    const given = checkArguments(ServerStart, options);
    if (this.#server !== undefined) throw new BlockError("in-use", "NBD server already running");
    const id = given["tls-creds"];
    const authz = given["tls-authz"];
    const tls = id === undefined ? undefined : await this.#host.tls(id, authz);
    if (tls !== undefined && tls.endpoint !== "server")
      throw new BlockError("bad-option", "Expecting TLS credentials with a server endpoint");
    const { after, log } = this.#host;
    const server = new NbdServer({
      tls,
      maxClients: given["max-connections"] ?? 100,
      ...(after ? { after } : {}),
      ...(log ? { log } : {}),
    });
    try {
      this.#listener = await this.#host.sockets.listen(address(given.addr), (stream) => void server.serve(stream));
    } catch (error) {
      throw new BlockError("io", (error as Error).message, { cause: error });
    }
    this.#server = server;
  }

  /** Ends the server with all its exports. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) throw new BlockError("bad-option", "NBD server not running");
    this.#server = undefined;
    await Promise.all([this.#listener?.close(), server.close()]);
    for (const of of [...this.#exports.values()]) this.#drop(of);
  }

  /** @throws BlockError */
  async add(options: unknown): Promise<void> {
    const type = (options as { type?: unknown } | undefined)?.type;
    if (typeof type === "string" && type !== "nbd")
      throw new BlockError(
        "unsupported-feature",
        ["fuse", "vhost-user-blk", "vduse-blk"].includes(type)
          ? `Export type '${type}' needs devices of the kernel that this program cannot reach: use type=nbd`
          : `Invalid parameter '${type}'`,
      );
    const { id, ...wanted } = checkArguments(ExportAdd, options);
    await this.#add(id, wanted);
  }

  /** An older command's id is the name of the export, which need not look like an id. */
  async #add(id: string, o: Omit<z.output<typeof ExportAdd>, "id" | "type">): Promise<void> {
    if (this.#exports.has(id)) throw new BlockError("in-use", `Block export id '${id}' is already in use`);
    const server = this.#server;
    if (server === undefined) throw new BlockError("bad-option", "NBD server not running");
    const node = nodeOf(this.#control, undefined, o["node-name"]);
    const name = o.name ?? o["node-name"];
    const writable = o.writable ?? false;
    if (writable && node.readOnly) throw new BlockError("read-only", `Block node '${node.name}' is read-only`);
    const { graph } = this.#control;
    const bitmaps: HeldBitmap[] = [];
    try {
      for (const b of o.bitmaps ?? []) {
        const [of, bitmapName] = typeof b === "string" ? [node, b] : [nodeOf(this.#control, undefined, b.node), b.name];
        bitmaps.push(holdBitmap(graph, of, bitmapName, writable));
      }
      const { description } = o;
      server.add({
        name,
        ...(description === undefined ? {} : { description }),
        ...{ node: o.writethrough === true ? writeThrough(node) : node, writable, bitmaps },
        allocationDepth: o["allocation-depth"] ?? false,
      });
    } catch (error) {
      for (const b of bitmaps) b.release();
      throw error instanceof BlockError ? error : new BlockError("in-use", (error as Error).message);
    }
    node.holds.add(hold(id));
    this.#exports.set(id, { id, name, node, bitmaps });
  }

  /** @throws BlockError */
  async remove(id: string, how: "safe" | "hard"): Promise<void> {
    const of = this.#exports.get(id);
    if (of === undefined) throw new BlockError("not-found", `Export '${id}' is not found`);
    await this.#server?.remove(of.name, how).catch((error: Error) => {
      throw new BlockError("in-use", error.message, { cause: error });
    });
    this.#drop(of);
  }

  /** The newest first. */
  query(): unknown[] {
    return [...this.#exports.values()].toReversed().map(({ id, node }) => ({
      ...{ "node-name": node.name, "shutting-down": false, type: "nbd", id },
    }));
  }

  /** Everything ends: before the nodes are closed. */
  async close(): Promise<void> {
    if (this.#server !== undefined) await this.stop();
  }

  #drop(of: BlockExport): void {
    this.#exports.delete(of.id);
    for (const b of of.bitmaps) b.release();
    of.node.holds.delete(hold(of.id));
    this.#control.emit?.("BLOCK_EXPORT_DELETED", { id: of.id });
  }
}

function hold(id: string): string {
  return `the export '${id}'`;
}

/** An address with its members beside the type, or, as older commands have it, in `data`. */
function address(given: z.output<typeof Address>): StreamAddress {
  const { type, data } = given;
  const members = typeof data === "object" && data !== null ? data : given;
  if (type === "unix") return { type, path: checkArguments(Unix, members).path };
  if (type === "fd") {
    const fd = Number(checkArguments(Fd, members).str);
    if (!Number.isInteger(fd) || fd < 0)
      throw new BlockError("bad-option", "Invalid parameter 'str': a descriptor's number");
    return { type, fd };
  }
  const { host, port: text } = checkArguments(Inet, members);
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65535)
    throw new BlockError("bad-option", `Invalid parameter 'port': ${String(text)} is not 0 to 65535`);
  return { type, host, port: number };
}
