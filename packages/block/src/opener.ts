import { QomError } from "@mimus/qom";
import type { Registry, ResolvedType } from "@mimus/qom";
import { Edge } from "./edge.ts";
import { asBlockError, BlockError } from "./errors.ts";
import type { FilterOps } from "./filter.ts";
import type { FormatContext, FormatHost, FormatOps } from "./format.ts";
import { probe, PROBE_BYTES } from "./format.ts";
import { formatHost } from "./format-host.ts";
import type { GraphNode } from "./graph-node.ts";
import type { HostFiles } from "./host-file.ts";
import type { LockUse } from "./lock.ts";
import { lockFor } from "./lock.ts";
import type { BlockNode } from "./node.ts";
import type { Common } from "./node-options.ts";
import { ownOptions, parse, parseCommon } from "./node-options.ts";
import { nest } from "./options.ts";
import { protocolOf, refuseOutside, refuseProtocol, resolveBeside } from "./paths.ts";
import type { ProtocolOps } from "./protocol.ts";
import type { ThrottleGroup } from "./throttle.ts";

/** What the graph needs from the application. */
export interface BlockHost {
  /** Where drivers, formats and filters are found by name. */
  readonly registry: Registry;
  /** The only way to files of the host. */
  readonly files: HostFiles;
  /** One line for the user's eyes. */
  readonly warn: (message: string) => void;
  /** Waits host time, nanoseconds (null-co's latency-ns, throttling). */
  readonly delay?: (ns: number) => Promise<void>;
  /** What formats need besides files; absent = portable codecs, and no randomness, time or secrets. */
  readonly format?: Partial<FormatHost>;
  /** Services for protocols of other packages. */
  readonly services?: Readonly<Record<string, unknown>>;
  /** Objects of -object that nodes refer to (throttle-group), by id. */
  readonly object?: (id: string) => unknown;
  /**
   * True lets an image name this file or address (a protocol, an extent outside its folder, a raw backing file without a
   * format), which is refused otherwise: for tools whose user vouches for the image.
   */
  readonly allow?: (name: string, image: string) => boolean;
}

/** Backing chains longer than this are refused. */
const MAX_DEPTH = 200;

/** What comes from above while a tree of nodes is opened. */
export interface OpenState {
  /** Rights that a backing file gets whatever it says. */
  readonly readOnly?: boolean;
  readonly depth: number;
  /** Files above in the chain, to find loops. */
  readonly chain: readonly string[];
  /** What the node stands below: it decides the lock. */
  readonly use: LockUse;
  readonly forceShare: boolean;
  /** How the image above uses the host's cache: so do its backing files and extents. */
  readonly cache?: Common["cache"];
}

/** The part of the graph that keeps nodes. */
export interface NodeTable {
  /** A free name. @throws BlockError "in-use" */
  claim(given?: string): string;
  node(name: string): GraphNode;
  throttleGroup(id: string): ThrottleGroup;
  register(
    node: BlockNode,
    driver: string,
    common: Common,
    edges: readonly Edge[],
    given?: Readonly<Record<string, unknown>>,
  ): GraphNode;
}

/** Opens nodes as options describe them; see {@link BlockGraph.open}. */
export class Opener {
  readonly #host: BlockHost;
  readonly #table: NodeTable;

  constructor(host: BlockHost, table: NodeTable) {
    this.#host = host;
    this.#table = table;
  }

  async open(options: Record<string, unknown>, state: OpenState): Promise<GraphNode> {
    const driver = options["driver"];
    if (typeof driver !== "string") throw new BlockError("bad-option", "A block node needs 'driver'");
    const type = await this.type(driver);
    const common = parseCommon(options, driver);
    const below = { ...state, forceShare: state.forceShare || common["force-share"] };
    if (common["force-share"] && !(state.readOnly ?? common["read-only"]))
      throw new BlockError("bad-option", `${driver}: force-share=on can only be used with read-only images`);
    const { protocol, filter } = type.class as { protocol?: ProtocolOps; filter?: FilterOps };
    if (protocol) return this.#openProtocol(type, protocol, options, common, below);
    if (filter) return this.#openFilter(type, filter, options, common, below);
    const format = type.class["format"] as FormatOps;
    const use = format.name === "raw" ? state.use : "format";
    const child = await this.#child("file", options["file"], driver, common, { ...below, use });
    return this.#openFormat(type, format, child, options, common, below, false);
  }

  /** Opens as `driver` says, or as the format that the bytes look like. `noRaw`: why raw must not be guessed. */
  async openOrProbe(options: Record<string, unknown>, state: OpenState, noRaw?: string): Promise<GraphNode> {
    const driver = options["driver"];
    if (typeof driver === "string" && driver !== "") return this.open(options, state);
    const common = parseCommon(options, "block node");
    const below = { ...state, forceShare: state.forceShare || common["force-share"] };
    const child = await this.#child("file", options["file"], "block node", common, { ...below, use: "format" });
    try {
      const name = await this.#probe(child);
      if (name === "raw" && noRaw !== undefined) throw new BlockError("bad-option", noRaw);
      if (name === "raw" && !child.readOnly && !common["read-only"] && child.size > 0)
        this.#host.warn(
          `Format of '${child.filename}' was not given and was guessed as raw: writes to its first sector are ` +
            `checked. Say format=raw to allow all of them`,
        );
      const type = await this.type(name);
      return await this.#openFormat(type, type.class["format"] as FormatOps, child, options, common, below, true);
    } catch (e) {
      await child.close().catch(() => undefined);
      throw e;
    }
  }

  /** Options of the protocol or filter node that a filename means: a path, "json:{...}", "file:path" or "nbd://...". */
  fileOptions(filename: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
    const protocol = protocolOf(filename);
    if (protocol === undefined) return { driver: "file", filename, ...extra };
    if (protocol === "file") return { driver: "file", filename: filename.replace(/^file:(\/\/)?/i, ""), ...extra };
    if (protocol === "json") {
      try {
        return { ...nest(JSON.parse(filename.slice(5)) as Record<string, unknown>), ...extra };
      } catch (e) {
        throw new BlockError("bad-option", `'${filename}' is not valid JSON after json:`, { cause: e });
      }
    }
    // "a:b" is a path when no driver answers to "a".
    const { registry } = this.#host;
    if (
      !/^[a-z0-9+.-]+:\/\//i.test(filename) &&
      !["block-protocol", "block-filter"].some((k) => registry.has(protocol, k))
    )
      return { driver: "file", filename, ...extra };
    return { driver: protocol, filename, ...extra };
  }

  /** The driver of this name, its package loaded. @throws BlockError "bad-option" */
  async type(driver: string): Promise<ResolvedType> {
    const { registry } = this.#host;
    const kinds = KINDS.filter((k) => registry.has(driver, k));
    let first: QomError | undefined;
    for (const kind of kinds.length > 0 ? kinds : KINDS) {
      try {
        return await registry.ensure(driver, kind);
      } catch (e) {
        if (!(e instanceof QomError) || e.kind !== "unknown-type") throw e;
        first ??= e;
      }
    }
    const known = KINDS.flatMap((k) => registry.known(k).map((t) => t.name));
    const why = first?.message ?? "it is not installed";
    throw new BlockError("bad-option", `Unknown block driver '${driver}': ${why} (available: ${known.join(", ")})`, {
      cause: first,
    });
  }

  /** Every format there is, packages that are installed but not yet loaded included: only probing needs them all. */
  async formats(): Promise<FormatOps[]> {
    const { registry } = this.#host;
    const types: ResolvedType[] = [];
    for (const { name } of registry.known("block-format")) types.push(await registry.ensure(name, "block-format"));
    return types.map((t) => t.class["format"] as FormatOps);
  }

  async #probe(file: BlockNode): Promise<string> {
    const head = new Uint8Array(Math.min(PROBE_BYTES, file.size));
    await file.read(0, head);
    return probe(await this.formats(), head, file.filename ?? "");
  }

  async #openProtocol(
    type: ResolvedType,
    protocol: ProtocolOps,
    options: Record<string, unknown>,
    common: Common,
    state: OpenState,
  ): Promise<GraphNode> {
    let given = ownOptions(options);
    if (protocol.parse && typeof given["filename"] === "string" && type.name !== "file") {
      const { filename, ...others } = given;
      given = { ...protocol.parse(String(filename)), ...others };
    }
    const own = parse(type.props, given, type.name);
    const name = this.#table.claim(common["node-name"]);
    const filename = typeof own["filename"] === "string" ? own["filename"] : undefined;
    if (filename !== undefined && state.chain.includes(filename))
      throw new BlockError("corrupt", `'${filename}' is in its own backing chain`);
    const wanted = state.readOnly ?? common["read-only"];
    const open = (readOnly: boolean): Promise<BlockNode> =>
      protocol.open(own as never, {
        name,
        readOnly,
        files: this.#host.files,
        direct: common.cache.direct,
        services: this.#host.services ?? {},
        lock: (ro) => lockFor(state.use, ro, state.forceShare),
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
    return this.#table.register(node, type.name, { ...common, "read-only": readOnly }, [], options);
  }

  async #openFilter(
    type: ResolvedType,
    filter: FilterOps,
    options: Record<string, unknown>,
    common: Common,
    state: OpenState,
  ): Promise<GraphNode> {
    const edges: Edge[] = [];
    let given = options;
    if (filter.parse && typeof options["filename"] === "string") {
      const { filename, ...others } = options;
      given = { ...filter.parse(String(filename)), ...others };
    }
    try {
      const roles = Object.keys(filter.children);
      const own = parse(type.props, without(ownOptions(given), roles), type.name);
      const name = this.#table.claim(common["node-name"]);
      const children: Record<string, BlockNode> = {};
      for (const [role, need] of Object.entries(filter.children)) {
        const child = given[role] ?? (role === roles[0] ? given["file"] : undefined);
        if (child === undefined && need === "optional") continue;
        // A name alone may be a file here: "blkdebug::disk.img".
        const node = given === options ? child : fromName(child, (n) => this.fileOptions(n));
        edges.push((children[role] = await this.#child(role, node, type.name, common, state)));
      }
      const first = edges[0];
      const readOnly = (state.readOnly ?? common["read-only"]) || first?.readOnly === true;
      const node = await filter.open(own as never, {
        name,
        readOnly,
        children,
        readFile: (path) => this.#host.files.read(path),
        throttleGroup: (id) => this.#table.throttleGroup(id),
        now: () => this.#host.format?.now?.() ?? 0,
        delay: (ns) => this.#host.delay?.(ns) ?? Promise.resolve(),
        warn: this.#host.warn,
      });
      // A filter changes no policy: what it passes on has been decided above or is decided below.
      return this.#table.register(
        node,
        type.name,
        { ...common, "read-only": readOnly, discard: "unmap" },
        edges,
        options,
      );
    } catch (e) {
      for (const edge of edges) await edge.close().catch(() => undefined);
      throw asBlockError(e, `Could not open '${type.name}'`);
    }
  }

  async #openFormat(
    type: ResolvedType,
    format: FormatOps,
    file: Edge,
    options: Record<string, unknown>,
    common: Common,
    state: OpenState,
    probed: boolean,
  ): Promise<GraphNode> {
    const edges: Edge[] = [file];
    const keep = (edge: Edge): Edge => (edges.push(edge), edge);
    try {
      const own = parse(type.props, without(ownOptions(options), format.children), type.name);
      const name = this.#table.claim(common["node-name"]);
      const below: OpenState = { ...state, cache: common.cache };
      const backing = await this.#explicitBacking(options["backing"], below);
      if (backing) keep(backing);
      const children: Record<string, BlockNode> = {};
      for (const role of format.children)
        if (options[role] !== undefined)
          children[role] = keep(await this.#child(role, options[role], type.name, common, { ...state, use: "format" }));
      const { filename } = file;
      const formats = probed ? await this.formats() : [];
      const readOnly = (state.readOnly ?? common["read-only"]) || file.readOnly;
      let extents = 0;
      const ctx: FormatContext = {
        name,
        readOnly,
        probed,
        filename: filename === "" ? file.name : filename,
        explicitBacking: backing,
        children,
        backing: async (n, f) => keep(await this.#backing(n, f, filename, below)),
        extent: async (n) => keep(await this.#extent(`extents.${extents++}`, n, filename, readOnly, below)),
        looksLike: (head) => probe(formats, head, filename),
        warn: this.#host.warn,
        host: formatHost(this.#host.format),
        format: async (n) => (await this.type(n)).class["format"] as FormatOps,
      };
      const node = await format.open(file, own as never, ctx);
      return this.#table.register(node, type.name, { ...common, "read-only": readOnly }, edges, options);
    } catch (e) {
      for (const edge of edges.toReversed()) await edge.close().catch(() => undefined);
      throw asBlockError(e, `Could not open '${file.filename === "" ? file.name : file.filename}' as ${type.name}`);
    }
  }

  /** A child: a node-name, or options of a node. */
  async #child(role: string, given: unknown, parent: string, common: Common, state: OpenState): Promise<Edge> {
    if (typeof given === "string") return new Edge(role, this.#table.node(given));
    if (typeof given !== "object" || given === null)
      throw new BlockError("bad-option", `${parent} needs '${role}': a node-name or the options of a node`);
    const inherited = {
      "read-only": common["read-only"],
      "auto-read-only": common["auto-read-only"],
      discard: "unmap", // the upper node decides
      cache: common.cache,
    };
    const own = nest(given as Record<string, unknown>);
    const { driver, filename, ...rest } = own;
    // A name alone says which protocol it is of.
    const named = driver === undefined && typeof filename === "string" ? this.fileOptions(filename, rest) : own;
    return new Edge(role, await this.open({ ...inherited, ...named }, state));
  }

  async #explicitBacking(given: unknown, state: OpenState): Promise<Edge | null | undefined> {
    if (given === undefined || given === null) return given;
    if (typeof given === "string") return given === "" ? null : new Edge("backing", this.#table.node(given));
    const options = { cache: state.cache ?? {}, ...nest(given as Record<string, unknown>) };
    const next: OpenState = { ...state, depth: state.depth + 1, readOnly: true };
    return new Edge("backing", await this.openOrProbe(options, next));
  }

  async #backing(name: string, format: string | undefined, image: string, state: OpenState): Promise<Edge> {
    if (state.depth >= MAX_DEPTH) throw new BlockError("corrupt", `'${image}': more than ${MAX_DEPTH} backing files`);
    const allowed = this.#host.allow?.(name, image) ?? false;
    if (!allowed) refuseProtocol(name, image);
    const filename = protocolOf(name) === undefined ? resolveBeside(image, name) : name;
    const chain = [...state.chain, await this.#canonical(image)];
    if (chain.includes(await this.#canonical(filename)))
      throw new BlockError("corrupt", `'${image}' names '${name}': a backing chain that loops`);
    if (!allowed) this.#refuseOtherThanFormat(format, image);
    const next: OpenState = { ...state, depth: state.depth + 1, chain, readOnly: true };
    const file = this.#besideOptions(filename);
    const options = {
      file,
      cache: state.cache ?? {},
      ...(format === undefined || format === "" ? {} : { driver: format }),
    };
    const why =
      `'${image}' names the backing file '${name}' without its format, and that has no header of a known format. ` +
      `An image may not make a raw file of the host readable by its name alone: give the format with -blockdev, or rebase it with a format`;
    return new Edge("backing", await this.openOrProbe(options, next, "driver" in options || allowed ? undefined : why));
  }

  /** A filter would show any file as it is, and a protocol has no business below an image. */
  #refuseOtherThanFormat(name: string | undefined, image: string): void {
    const { registry } = this.#host;
    if (name === undefined || registry.has(name, "block-format")) return;
    if (registry.has(name, "block-protocol") || registry.has(name, "block-filter"))
      throw new BlockError("bad-option", `'${image}' names the backing format '${name}', which is no image format`);
  }

  /** One name for each file, whatever links lead to it. */
  async #canonical(path: string): Promise<string> {
    const { realpath } = this.#host.files;
    return (protocolOf(path) === undefined && (await realpath?.(path).catch(() => undefined))) || path;
  }

  async #extent(role: string, name: string, image: string, readOnly: boolean, state: OpenState): Promise<Edge> {
    const options = { ...(await this.beside(name, image)), "read-only": readOnly, cache: state.cache ?? {} };
    return new Edge(role, await this.open(options, { ...state, use: "format" }));
  }

  /** Options of a file that an image names, after the policy has let it pass. @throws BlockError "bad-option" */
  async beside(name: string, image: string): Promise<Record<string, unknown>> {
    const filename = protocolOf(name) === undefined ? resolveBeside(image, name) : name;
    if (this.#host.allow?.(name, image) !== true) {
      refuseProtocol(name, image);
      refuseOutside(name, image);
      const { realpath } = this.#host.files;
      if (realpath && protocolOf(image) === undefined) {
        const home = await realpath(image);
        const real = await realpath(filename).catch(() => undefined); // a file that is being made
        const folder = home.slice(0, home.lastIndexOf("/") + 1);
        if (real !== undefined) refuseOutside(real.startsWith(folder) ? "inside" : real, image);
      }
    }
    return this.#besideOptions(filename);
  }

  /** A name that was resolved beside "https://host/a.vmdk" has that protocol. */
  #besideOptions(filename: string): Record<string, unknown> {
    return /^[a-z][a-z0-9+.-]+:/i.test(filename) ? this.fileOptions(filename) : { driver: "file", filename };
  }
}

const KINDS: readonly string[] = ["block-format", "block-protocol", "block-filter"];

function without(options: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !keys.includes(key)));
}

function fromName(child: unknown, name: (filename: string) => unknown): unknown {
  return typeof child === "string" ? name(child) : child;
}
