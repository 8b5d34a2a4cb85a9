import { BlockError, BlockGraph, oneLine } from "@mimus/block";
import type { BlockNode, GraphNode } from "@mimus/block";
import type { Arguments } from "./arguments.ts";
import { messageOf, ToolError } from "./errors.ts";
import type { ToolHost } from "./host.ts";
import { keyValues } from "./key-values.ts";
import { Objects } from "./objects.ts";
import { Progress } from "./progress.ts";

/** How an image is opened. */
export interface OpenHow {
  readonly format?: string | undefined;
  /** `filename` is a list of options. */
  readonly imageOpts?: boolean;
  readonly writable?: boolean;
  /** Name of a cache mode. Default: writeback. */
  readonly cache?: string;
  readonly forceShare?: boolean;
  /** The backing file is not opened. */
  readonly noBacking?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What a cache mode means for a node. */
const CACHE: Readonly<Record<string, Readonly<Record<string, boolean>>>> = {
  writeback: {},
  writethrough: {},
  none: { direct: true },
  directsync: { direct: true },
  unsafe: { "no-flush": true },
  off: { direct: true },
};

/** One run of a tool: its graph, its objects, its messages. */
export class Tools {
  /** What the program gave. */
  readonly host: ToolHost;
  /** What `--object` made. */
  readonly objects: Objects;
  /** The nodes that are open. */
  readonly graph: BlockGraph;

  constructor(host: ToolHost) {
    this.host = host;
    this.objects = new Objects(host);
    this.graph = new BlockGraph({
      registry: host.registry,
      files: host.files,
      warn: (message) => this.#warn(message),
      delay: (ns) => host.delay(ns),
      format: { ...host.format, secret: (id) => this.objects.secret(id) },
      ...(host.services === undefined ? {} : { services: host.services }),
    });
  }

  /** Prints after the program's name. */
  error(message: string): void {
    this.host.err(`${this.host.program}: ${message}\n`);
  }

  /** Opens an image. @throws ToolError `Could not open '...': ...` */
  async open(filename: string, how: OpenHow = {}): Promise<GraphNode> {
    const node = await this.#open(filename, how);
    // Bitmaps that the image keeps follow what is written, and are stored when it closes.
    if (how.writable === true) await this.graph.bitmaps.load(node);
    return node;
  }

  async #open(filename: string, how: OpenHow): Promise<GraphNode> {
    const cache = cacheOptions(how.cache);
    const options: Record<string, unknown> = {
      "read-only": how.writable !== true,
      ...(how.forceShare === true ? { "force-share": true } : {}),
      ...(how.writable === true ? { discard: "unmap" } : {}),
      ...(how.noBacking === true ? { backing: null } : {}),
      ...cache,
      ...how.options,
    };
    try {
      if (how.imageOpts === true) return await this.#openOptions(filename, options);
      if (how.format !== undefined) this.checkDriver(how.format);
      return await this.graph.openFile(
        filename,
        how.format === undefined ? options : { ...options, driver: how.format },
      );
    } catch (error) {
      if (error instanceof ToolError) throw new ToolError(`Could not open '${oneLine(filename)}': ${error.message}`);
      if (error instanceof BlockError)
        throw new ToolError(`Could not open '${oneLine(filename)}': ${error.message}`, { cause: error });
      throw error;
    }
  }

  /** @throws ToolError when there is no such driver */
  checkDriver(name: string, what = "driver"): void {
    if (!this.isDriver(name)) throw new ToolError(`Unknown ${what} '${name}'`);
  }

  /** Whether a format or protocol has this name. */
  isDriver(name: string): boolean {
    return ["block-format", "block-protocol", "block-filter"].some((kind) => this.host.registry.has(name, kind));
  }

  /** @internal Progress of a verb whose options may have asked for it. */
  progress(args: Arguments): Progress {
    return new Progress(this.host, args.has("p") && !args.has("q"));
  }

  /** @throws ToolError after Ctrl-C */
  checkInterrupt(): void {
    if (this.host.interrupted?.() === true) throw new Interrupted();
  }

  /** Closes every node. */
  async close(): Promise<void> {
    await this.graph.closeAll();
  }

  async #openOptions(text: string, options: Record<string, unknown>): Promise<GraphNode> {
    const given = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : keyValues(text, "node");
    const { node, file, ...rest } = given;
    if (node !== undefined) throw new ToolError(`Cannot find device='${String(node)}' nor node-name='${String(node)}'`);
    const filename = rest["filename"] ?? rest["file.filename"];
    if (rest["driver"] === undefined && typeof filename === "string" && rest["file.driver"] === undefined) {
      const { filename: _a, "file.filename": _b, ...others } = rest;
      return this.graph.openFile(filename, { ...options, ...others });
    }
    const driver = String(rest["driver"] ?? "");
    if (driver !== "") this.checkDriver(driver);
    const protocol = this.host.registry.has(driver, "block-protocol");
    if (!protocol && rest["file.filename"] !== undefined && rest["file.driver"] === undefined)
      rest["file.driver"] = "file";
    return this.graph.open({ ...options, ...(file === undefined ? {} : { file }), ...rest });
  }

  #warn(message: string): void {
    const guessed = /^Format of '(.*)' was not given and was guessed as raw/.exec(message)?.[1];
    this.host.err(
      guessed === undefined
        ? `${this.host.program}: warning: ${oneLine(message)}\n`
        : `WARNING: Image format was not specified for '${guessed}' and probing guessed raw.\n` +
            `         Automatically detecting the format is dangerous for raw images, write operations on block 0 will be restricted.\n` +
            `         Specify the 'raw' format explicitly to remove the restrictions.\n`,
    );
  }
}

/** The user ended the work. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Node options of a cache mode; `what` names the option in the message. @throws ToolError */
export function cacheOptions(mode = "writeback", what = "cache option"): Record<string, unknown> {
  const found = CACHE[mode];
  if (found === undefined) throw new ToolError(`Invalid ${what}: ${mode}`);
  return { cache: found };
}

/** The image below, or undefined. */
export function backingOf(node: BlockNode): BlockNode | undefined {
  return node.children?.["backing"];
}

/** An image and everything below it, top first. */
export function chainOf(node: BlockNode): BlockNode[] {
  const out: BlockNode[] = [];
  for (let n: BlockNode | undefined = node; n !== undefined; n = backingOf(n)) out.push(n);
  return out;
}

/** Adds what an error was about in front of it. */
export function explained(what: string, error: unknown): ToolError {
  if (error instanceof Interrupted) throw error;
  return new ToolError(`${what}: ${messageOf(error)}`, { cause: error });
}
