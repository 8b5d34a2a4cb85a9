import blockPlugin, {
  type BlockFormat,
  BlockGraph,
  type BlockNode,
  type CreateContext,
  type FormatHost,
  type FormatOps,
  FileNode,
  type HostFiles,
} from "@mimus/block";
import { portable } from "@mimus/compress";
import { definePlugin, type Plugin, Registry } from "@mimus/qom";
import { Seeded } from "../random.ts";
import { RecordedFiles } from "./recorded-files.ts";

/** How an image under test is made and opened. */
export interface RigOptions {
  /** Under test. */
  readonly format: BlockFormat;
  /** Bytes of the disk. */
  readonly size: number;
  /** Options of `create`, and of -blockdev. */
  readonly create?: Readonly<Record<string, unknown>>;
  /** Options of -blockdev. */
  readonly open?: Readonly<Record<string, unknown>>;
  /** Further types that it needs. */
  readonly plugins?: readonly Plugin[];
  /** Default: "disk.img". */
  readonly filename?: string;
  /** What was never written reads as noise: encrypted images. */
  readonly noise?: boolean;
  /** In place of parts of {@link testHost}. */
  readonly host?: Partial<FormatHost>;
}

/** What formats get in tests: portable codecs, a fixed clock, seeded randomness, one secret. */
export function testHost(seed = 1): FormatHost {
  const random = new Seeded(seed);
  return {
    codecs: portable,
    random: (into) => into.forEach((_, i) => (into[i] = random.below(256))),
    now: () => Date.UTC(2026, 0, 1),
    secret: async () => new TextEncoder().encode("open sesame"),
  };
}

/** One image of a format in recorded memory files: made, opened, closed. */
export class FormatRig {
  /** The image and what belongs to it. */
  readonly files: RecordedFiles = new RecordedFiles();
  /** What it was made with. */
  readonly options: RigOptions;
  /** Of the image. */
  readonly filename: string;
  /** What the format is given. */
  readonly host: FormatHost;
  #registry: Registry | undefined;
  #graph: BlockGraph | undefined;

  constructor(options: RigOptions) {
    this.options = options;
    this.host = { ...testHost(), ...options.host };
    this.filename = options.filename ?? "disk.img";
  }

  /** Makes the image. */
  async create(): Promise<void> {
    const { create, createOptions } = this.options.format.class.format;
    if (!create) throw new Error(`${this.options.format.name} makes no images`);
    const file = await this.#fileNode(this.filename);
    const ctx: CreateContext = {
      filename: this.filename,
      extent: (name) => this.#fileNode(name),
      host: this.host,
    };
    const given = this.options.create ?? {};
    try {
      await create(file, this.options.size, (createOptions?.parse(given) ?? given) as Record<string, unknown>, ctx);
      await file.flush();
    } finally {
      await file.close();
    }
  }

  /** Opens the image; the one before is closed first. `files`: other files than the rig's own. */
  async open(opts: { readOnly?: boolean; files?: HostFiles } = {}): Promise<BlockNode> {
    await this.close();
    const registry = (this.#registry ??= registryOf(this.options));
    const graph = new BlockGraph({
      registry,
      files: opts.files ?? this.files,
      warn: () => undefined,
      format: this.host,
    });
    this.#graph = graph;
    try {
      return await graph.open({
        driver: this.options.format.name,
        "read-only": opts.readOnly ?? false,
        discard: "unmap",
        ...this.options.open,
        file: { driver: "file", filename: this.filename },
      });
    } catch (e) {
      this.#graph = undefined;
      await graph.closeAll().catch(() => undefined);
      throw e;
    }
  }

  /** Operations of a format that the rig's plugins bring. */
  formatNamed(name: string): FormatOps | undefined {
    const registry = (this.#registry ??= registryOf(this.options));
    const type = [...registry.known("block-format")].some((t) => t.name === name) ? registry.get(name) : undefined;
    return (type as unknown as BlockFormat | undefined)?.class.format;
  }

  /** Closes what is open. */
  async close(): Promise<void> {
    const graph = this.#graph;
    this.#graph = undefined;
    await graph?.closeAll();
  }

  /** Leaves what is open as a crash does: nothing more is written. */
  abandon(): void {
    this.#graph = undefined;
  }

  /** Copies of all files. */
  contents(): Map<string, Uint8Array> {
    const out = new Map<string, Uint8Array>();
    for (const [name, file] of this.files.memory.files)
      if ("content" in file) out.set(name, (file as { content(): Uint8Array }).content());
    return out;
  }

  async #fileNode(name: string): Promise<BlockNode> {
    const file = await this.files.open(name, { writable: true, create: true });
    return FileNode.open(name, file, { readOnly: false });
  }
}

function registryOf({ format, plugins = [] }: RigOptions): Registry {
  const registry = new Registry().use(blockPlugin);
  for (const plugin of plugins) registry.use(plugin);
  if (![...registry.known("block-format")].some((type) => type.name === format.name))
    registry.use(definePlugin({ name: "under-test", types: [format] }));
  return registry;
}
