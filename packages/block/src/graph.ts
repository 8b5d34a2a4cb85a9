import { nearest, QomError } from "@mimus/qom";
import type { Registry, ResolvedType } from "@mimus/qom";
import { BlockBackend } from "./backend.ts";
import { borrow } from "./borrowed-node.ts";
import { asBlockError, BlockError } from "./errors.ts";
import type { FormatContext, FormatHost, FormatOps } from "./format.ts";
import { probe, PROBE_BYTES } from "./format.ts";
import { formatHost } from "./format-host.ts";
import { GraphNode } from "./graph-node.ts";
import type { HostFiles } from "./host-file.ts";
import type { BlockNode } from "./node.ts";
import type { Common } from "./node-options.ts";
import { ownOptions, parse, parseCommon } from "./node-options.ts";
import { nest } from "./options.ts";
import { OverlayNode } from "./overlay.ts";
import { protocolOf, refuseOutside, refuseProtocol, resolveBeside } from "./paths.ts";
import type { ProtocolOps } from "./protocol.ts";

/** What the graph needs from the application. */
export interface BlockHost {
  readonly registry: Registry;
  readonly files: HostFiles;
  /** One line for the user's eyes. */
  readonly warn: (message: string) => void;
  /** Waits host time, nanoseconds (null-co's latency-ns). */
  readonly delay?: (ns: number) => Promise<void>;
  /** What formats need besides files; absent = portable codecs, and no randomness, time or secrets. */
  readonly format?: Partial<FormatHost>;
  /** Services for protocols of other packages. */
  readonly services?: Readonly<Record<string, unknown>>;
}

/** Backing chains longer than this are refused. */
export const MAX_DEPTH = 200;

interface OpenState {
  /** Probed, not given: raw guards its sector 0. */
  readonly readOnly?: boolean;
  readonly depth: number;
  /** Files above in the chain, to find loops. */
  readonly chain: readonly string[];
  readonly noFlush?: boolean;
}

/** All block nodes of a machine, by name, and the backends that devices use. */
export class BlockGraph {
  readonly #host: BlockHost;
  readonly #nodes: Map<string, GraphNode> = new Map();
  readonly #backends: Map<string, BlockBackend> = new Map();
  #made = 0;

  constructor(host: BlockHost) {
    this.#host = host;
  }

  /**
   * Opens a node as -blockdev describes it (nested JSON, or flat dotted keys) and registers its name.
   * @throws BlockError, with nothing left open.
   */
  async open(options: Readonly<Record<string, unknown>>): Promise<BlockNode> {
    return this.#open(nest(options), { depth: 0, chain: [] });
  }

  /** Opens `filename` probing its format (or with the format given): what -drive and the image tools do. */
  async openFile(filename: string, options: Readonly<Record<string, unknown>> = {}): Promise<BlockNode> {
    const nested = nest(options);
    const file = this.#fileOptions(
      filename,
      typeof nested["file"] === "object" ? (nested["file"] as Record<string, unknown>) : {},
    );
    return this.#openOrProbe({ ...nested, file }, { depth: 0, chain: [] });
  }

  /** Puts a temporary layer over a node: writes stay in memory. The node below becomes the layer's. */
  async overlay(below: BlockNode, limit?: number): Promise<BlockNode> {
    const node = new OverlayNode(this.#name(), below, limit);
    return this.#register(node, "overlay", parseCommon({ discard: "unmap" }, "overlay"), false);
  }

  /** A node by its name. @throws BlockError "not-found" with the nearest names. */
  node(name: string): BlockNode {
    const node = this.#nodes.get(name);
    if (node) return node;
    const near = nearest(name, this.#nodes.keys());
    throw new BlockError(
      "not-found",
      `No block node named '${name}'${near.length > 0 ? `; did you mean ${near.join(", ")}?` : ""}`,
    );
  }

  /** All nodes in order of opening. */
  nodes(): Iterable<BlockNode> {
    return this.#nodes.values();
  }

  /** Makes a backend (what `-drive id=` names). @throws BlockError when the id is taken. */
  addBackend(id: string, node?: BlockNode): BlockBackend {
    if (this.#backends.has(id) || this.#nodes.has(id))
      throw new BlockError("in-use", `The name '${id}' is already used by a drive or node`);
    const backend = new BlockBackend(id, node);
    this.#backends.set(id, backend);
    return backend;
  }

  /** The backend with this id; for a node-name one is made on first use. What a device's `drive=` means. */
  backend(name: string): BlockBackend | undefined {
    const known = this.#backends.get(name);
    if (known) return known;
    const node = this.#nodes.get(name);
    if (!node) return undefined;
    const backend = new BlockBackend(name, node);
    this.#backends.set(name, backend);
    return backend;
  }

  backends(): Iterable<BlockBackend> {
    return this.#backends.values();
  }

  removeBackend(id: string): void {
    const backend = this.#backends.get(id);
    if (backend?.owner !== undefined) throw new BlockError("in-use", `Drive '${id}' is used by ${backend.owner}`);
    this.#backends.delete(id);
  }

  /** Closes a node by name (blockdev-del). @throws BlockError "in-use". */
  async close(name: string): Promise<void> {
    const node = this.node(name) as GraphNode;
    const user = [...node.users][0];
    if (user !== undefined) throw new BlockError("in-use", `Node '${name}' is used by node '${user}'`);
    for (const b of this.#backends.values())
      if (b.node === node && b.owner !== undefined)
        throw new BlockError("in-use", `Node '${name}' is used by ${b.owner}`);
    for (const [id, b] of this.#backends) if (b.node === node) this.#backends.delete(id);
    await node.close();
    for (const [key, n] of this.#nodes) if (n.isClosed) this.#nodes.delete(key);
  }

  /** Waits until no request is in flight, for reset, pause and snapshots. */
  async drain(): Promise<void> {
    for (const b of this.#backends.values()) await b.drain();
  }

  /** What the guest wrote is on stable storage, for every node that can be written. */
  async flushAll(): Promise<void> {
    for (const n of this.#nodes.values()) if (!n.readOnly && !n.isClosed) await n.flush();
  }

  /** Flushes and closes everything, top nodes first. */
  async closeAll(): Promise<void> {
    const all = [...this.#nodes.values()].toReversed();
    this.#nodes.clear();
    this.#backends.clear();
    let first: unknown;
    for (const node of all) await node.close().catch((e: unknown) => (first ??= e));
    if (first !== undefined) throw asBlockError(first, "Could not close the block nodes");
  }

  // ---- opening ----

  async #open(options: Record<string, unknown>, state: OpenState): Promise<GraphNode> {
    const driver = options["driver"];
    if (typeof driver !== "string") throw new BlockError("bad-option", "A block node needs 'driver'");
    const type = await this.#type(driver);
    const common = parseCommon(options, driver);
    const protocol = type.class["protocol"] as ProtocolOps | undefined;
    if (protocol) return this.#openProtocol(type, protocol, options, common, state);
    const format = type.class["format"] as FormatOps;
    const child = await this.#child(options["file"], driver, common, state);
    return this.#openFormat(type, format, child, options, common, state, false);
  }

  async #openOrProbe(options: Record<string, unknown>, state: OpenState, noRaw?: string): Promise<GraphNode> {
    const driver = options["driver"];
    if (typeof driver === "string" && driver !== "") return this.#open(options, state);
    const common = parseCommon(options, "block node");
    const child = await this.#child(options["file"], "block node", common, state);
    try {
      const { name, size } = await this.#probe(child);
      if (name === "raw" && noRaw !== undefined) throw new BlockError("bad-option", noRaw);
      if (name === "raw" && !child.readOnly && !common["read-only"] && size > 0)
        this.#host.warn(
          `Format of '${child.filename ?? child.name}' was not given and was guessed as raw: writes to its first sector are ` +
            `checked. Say format=raw to allow all of them`,
        );
      const type = await this.#type(name);
      return await this.#openFormat(type, type.class["format"] as FormatOps, child, options, common, state, true);
    } catch (e) {
      await child.close().catch(() => undefined);
      throw e;
    }
  }

  async #probe(file: BlockNode): Promise<{ name: string; size: number }> {
    const head = new Uint8Array(Math.min(PROBE_BYTES, file.size));
    await file.read(0, head);
    return { name: probe(await this.#formats(), head, file.filename ?? ""), size: file.size };
  }

  /** Every format there is, packages that are installed but not yet loaded included: only probing needs them all. */
  async #formats(): Promise<FormatOps[]> {
    const { registry } = this.#host;
    const types: ResolvedType[] = [];
    for (const { name } of registry.known("block-format")) types.push(await registry.ensure(name, "block-format"));
    return types.map((t) => t.class["format"] as FormatOps);
  }

  async #openProtocol(
    type: ResolvedType,
    protocol: ProtocolOps,
    options: Record<string, unknown>,
    common: Common,
    state: OpenState,
  ): Promise<GraphNode> {
    const own = parse(type.props, ownOptions(options), type.name);
    const name = this.#name(common["node-name"]);
    const filename = typeof own["filename"] === "string" ? own["filename"] : undefined;
    if (filename !== undefined && state.chain.includes(filename))
      throw new BlockError("corrupt", `'${filename}' is in its own backing chain`);
    const wanted = state.readOnly ?? common["read-only"];
    const open = (readOnly: boolean): Promise<BlockNode> =>
      protocol.open(own as never, {
        name,
        readOnly,
        files: this.#host.files,
        services: this.#host.services ?? {},
        ...(this.#host.delay ? { delay: this.#host.delay } : {}),
      });
    let readOnly = wanted;
    let node: BlockNode;
    try {
      node = await open(wanted);
    } catch (e) {
      const error = asBlockError(e, `Could not open '${filename ?? name}'`);
      const may = common["auto-read-only"] && !wanted && (error.kind === "permission" || error.kind === "read-only");
      if (!may) throw error;
      readOnly = true;
      node = await open(true).catch((again: unknown) => {
        throw asBlockError(again, `Could not open '${filename ?? name}'`);
      });
    }
    return this.#register(node, type.name, { ...common, "read-only": readOnly }, common["node-name"] !== undefined);
  }

  async #openFormat(
    type: ResolvedType,
    format: FormatOps,
    file: BlockNode,
    options: Record<string, unknown>,
    common: Common,
    state: OpenState,
    probed: boolean,
  ): Promise<GraphNode> {
    let backing: BlockNode | null | undefined;
    try {
      const own = parse(type.props, ownOptions(options), type.name);
      const name = this.#name(common["node-name"]);
      backing = await this.#explicitBacking(options["backing"], common, state);
      const filename = file.filename ?? file.name;
      const formats = probed ? await this.#formats() : [];
      const readOnly = (state.readOnly ?? common["read-only"]) || file.readOnly;
      const ctx: FormatContext = {
        name,
        readOnly,
        probed,
        filename,
        explicitBacking: backing,
        children: {},
        backing: (n, f) => this.#backing(n, f, filename, state),
        extent: (n) => this.#extent(n, filename, readOnly, state),
        looksLike: (head) => probe(formats, head, filename),
        warn: this.#host.warn,
        host: formatHost(this.#host.format),
      };
      const node = await format.open(file, own as never, ctx);
      return this.#register(node, type.name, { ...common, "read-only": readOnly }, common["node-name"] !== undefined);
    } catch (e) {
      await backing?.close().catch(() => undefined);
      await file.close().catch(() => undefined);
      this.#sweep();
      throw asBlockError(e, `Could not open '${file.filename ?? file.name}' as ${type.name}`);
    }
  }

  /** `file`: a node-name, or options of a node. */
  async #child(given: unknown, parent: string, common: Common, state: OpenState): Promise<BlockNode> {
    if (typeof given === "string") return this.#refer(given, parent);
    if (typeof given !== "object" || given === null)
      throw new BlockError("bad-option", `${parent} needs 'file': a node-name or the options of a node`);
    const inherited = {
      "read-only": common["read-only"],
      "auto-read-only": common["auto-read-only"],
      discard: "unmap", // the upper node decides
      cache: common.cache,
    };
    const options = { ...inherited, ...nest(given as Record<string, unknown>) };
    return this.#open(options, state);
  }

  #refer(name: string, by: string): BlockNode {
    const node = this.node(name) as GraphNode;
    node.users.add(by);
    return borrow(node, () => node.users.delete(by));
  }

  async #explicitBacking(given: unknown, common: Common, state: OpenState): Promise<BlockNode | null | undefined> {
    if (given === undefined || given === null) return given;
    if (typeof given === "string") return given === "" ? null : this.#refer(given, common["node-name"] ?? "backing");
    const options = nest(given as Record<string, unknown>);
    return this.#open(options, { ...state, depth: state.depth + 1, readOnly: true });
  }

  async #backing(name: string, format: string | undefined, image: string, state: OpenState): Promise<BlockNode> {
    if (state.depth >= MAX_DEPTH) throw new BlockError("corrupt", `'${image}': more than ${MAX_DEPTH} backing files`);
    refuseProtocol(name, image);
    const filename = resolveBeside(image, name);
    const chain = [...state.chain, image];
    if (chain.includes(filename))
      throw new BlockError("corrupt", `'${image}' names '${name}': a backing chain that loops`);
    const next: OpenState = { ...state, depth: state.depth + 1, chain, readOnly: true };
    const options = { file: { driver: "file", filename }, ...(format === undefined ? {} : { driver: format }) };
    const why =
      `'${image}' names the backing file '${name}' without its format, and that has no header of a known format. ` +
      `An image may not make a raw file of the host readable by its name alone: give the format with -blockdev, or rebase it with a format`;
    return this.#openOrProbe(options, next, format === undefined ? why : undefined);
  }

  async #extent(name: string, image: string, readOnly: boolean, state: OpenState): Promise<BlockNode> {
    refuseProtocol(name, image);
    refuseOutside(name, image);
    const filename = resolveBeside(image, name);
    const { realpath } = this.#host.files;
    if (realpath) {
      const [real, home] = [await realpath(filename), await realpath(image)];
      refuseOutside(real.startsWith(home.slice(0, home.lastIndexOf("/") + 1)) ? "inside" : real, image);
    }
    return this.#open({ driver: "file", filename, "read-only": readOnly }, state);
  }

  /** Options of the protocol node that a filename means: a path, "json:{...}", "file:path" or "nbd://...". */
  #fileOptions(filename: string, extra: Record<string, unknown>): unknown {
    const protocol = protocolOf(filename);
    if (protocol === undefined) return { driver: "file", filename, ...extra };
    if (protocol === "file") return { driver: "file", filename: filename.replace(/^file:(\/\/)?/i, ""), ...extra };
    if (protocol === "json") {
      try {
        return { ...(JSON.parse(filename.slice(5)) as Record<string, unknown>), ...extra };
      } catch (e) {
        throw new BlockError("bad-option", `'${filename}' is not valid JSON after json:`, { cause: e });
      }
    }
    return { driver: protocol, filename, ...extra };
  }

  async #type(driver: string): Promise<ResolvedType> {
    const { registry } = this.#host;
    const kinds = registry.known("block-protocol").some((k) => k.name === driver)
      ? ["block-protocol"]
      : ["block-format", "block-protocol"];
    let first: QomError | undefined;
    for (const kind of kinds) {
      try {
        return await registry.ensure(driver, kind);
      } catch (e) {
        if (!(e instanceof QomError) || e.kind !== "unknown-type") throw e;
        first ??= e;
      }
    }
    const known = ["block-format", "block-protocol"].flatMap((k) => registry.known(k).map((t) => t.name));
    const why = first?.message ?? "it is not installed";
    throw new BlockError("bad-option", `Unknown block driver '${driver}': ${why} (available: ${known.join(", ")})`, {
      cause: first,
    });
  }

  #register(node: BlockNode, driver: string, common: Common, named: boolean): GraphNode {
    const options = {
      readOnly: common["read-only"],
      discard: common.discard,
      detectZeroes: common["detect-zeroes"],
      noFlush: common.cache["no-flush"],
    };
    const wrapped = new GraphNode(node, driver, options, named, this.#host.warn);
    this.#nodes.set(node.name, wrapped);
    return wrapped;
  }

  #sweep(): void {
    for (const [key, n] of this.#nodes) if (n.isClosed) this.#nodes.delete(key);
  }

  #name(given?: string): string {
    if (given === undefined) return `#block${this.#made++}`;
    if (this.#nodes.has(given) || this.#backends.has(given))
      throw new BlockError("in-use", `Duplicate block node name '${given}'`);
    return given;
  }
}
