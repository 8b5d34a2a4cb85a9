import type { TypeSpec } from "@mimus/qom";
import { lazy } from "@mimus/qom";
import type { z } from "zod";
import type { Codecs } from "@mimus/compress";
import type { Measure } from "./image-ops.ts";
import type { BlockNode } from "./node.ts";

/** What a format may ask of its graph while it opens an image. A format never opens a path itself. */
export interface FormatContext {
  /** node-name of the node being opened. */
  readonly name: string;
  /** Nothing may be written, not even to mark the image as in use. */
  readonly readOnly: boolean;
  /** The user named no format: this one was chosen by its probe score. */
  readonly probed: boolean;
  /** Name of the image, for messages. */
  readonly filename: string;
  /** `backing` of the options: a node, null (= none, whatever the image says), or undefined (= as the image says). */
  readonly explicitBacking: BlockNode | null | undefined;
  /**
   * Opens the image that this one names as its backing file, read-only and under the user's policy.
   * @throws BlockError "bad-option" for a name that an image may not give (json:, a protocol), "corrupt" for a loop.
   */
  backing(filename: string, format?: string): Promise<BlockNode>;
  /** Nodes that the options gave for the format's further roles ({@link FormatSpec.children}), by role. */
  readonly children: Readonly<Record<string, BlockNode>>;
  /** Opens a further file that the image names; it must lie in the image's own folder unless the user allowed more. */
  extent(filename: string): Promise<BlockNode>;
  /** Which format a probe of these bytes would choose. */
  looksLike(head: Uint8Array): string;
  /** One line for the user's eyes. */
  warn(message: string): void;
  /** Randomness, time, secrets, codecs. */
  readonly host: FormatHost;
  /** Another format by its name: what an archive has its members opened by. @throws BlockError "bad-option" when it is not there */
  format(name: string): Promise<FormatOps>;
}

/** What the world gives to formats, when opening and when creating. */
export interface FormatHost {
  /** Compression, the host's own or the portable one. */
  readonly codecs: Codecs;
  /** Fills with random bytes that nobody can guess. */
  random(into: Uint8Array): void;
  /** Milliseconds since 1970. */
  now(): number;
  /** Derives a key with the host's own PBKDF2, off the event loop; undefined = it has none for this hash. Absent = none. */
  pbkdf2?(
    hash: string,
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    length: number,
  ): Promise<Uint8Array> | undefined;
  /** Lets the event loop run before long work goes on. */
  pause?(): Promise<void>;
  /** Bytes of a secret object (`-object secret`). @throws BlockError "bad-option" for an unknown id. */
  secret(id: string): Promise<Uint8Array>;
}

/** What a format may ask while it makes an image. */
export interface CreateContext {
  /** Name of the image. */
  readonly filename: string;
  /** Makes (or empties) a further file in the image's folder; writable, grows. Closed by the format. */
  extent(filename: string): Promise<BlockNode>;
  /** The image below, when the options name one: its size and, for differencing images, its identity. */
  readonly backing?: { readonly filename: string; readonly format?: string; readonly node?: BlockNode };
  /** Randomness, time, secrets, codecs. */
  readonly host: FormatHost;
}

/** What a format package writes; see {@link defineFormat}. */
export interface FormatSpec<O extends z.ZodObject> {
  /** What `-f` and `driver=` call it: lower case, as QEMU does. */
  readonly name: string;
  /** A few words for help. */
  readonly summary: string;
  /** Own options of -blockdev; common ones (node-name, read-only, cache, ...) are the graph's. */
  readonly options?: O | (() => O);
  /**
   * Options besides `file` and `backing` that are nodes (a node-name, or the options of a node): "data-file". They come
   * as {@link FormatContext.children}; closed by the format.
   */
  readonly children?: readonly string[];
  /** 0 (no) to 100 (certain) from the first bytes (up to 2048) and the name. raw answers 1. */
  readonly probe?: (head: Uint8Array, filename: string) => number;
  /** Opens an image; the node owns `file`. Trusts nothing in it. @throws BlockError "not-this-format", "corrupt", "unsupported-feature" */
  readonly open: (file: BlockNode, options: z.output<O>, ctx: FormatContext) => Promise<BlockNode>;
  /** Makes a new image; its own options are those of `createOptions`. */
  readonly create?: CreateImage;
  /** Own options of `create`, as `-o help` shows them; `backing_file` and `backing_fmt` where the format has them. */
  readonly createOptions?: z.ZodObject | (() => z.ZodObject);
  /** Bytes that an image with this content would take. `source`: what would be converted, when there is one. */
  readonly measure?: MeasureImage;
  /** Keys of `createOptions` that `amend` of an open image takes. */
  readonly amendOptions?: readonly string[];
}

/** Makes a new image of `size` bytes in an empty, resizable file; options are parsed by `createOptions`. */
export type CreateImage = (
  file: BlockNode,
  size: number,
  options: Readonly<Record<string, unknown>>,
  ctx: CreateContext,
) => Promise<void>;

/** Says what an image of `size` bytes would take, without making it. `source`: what would be converted. */
export type MeasureImage = (
  size: number,
  options: Readonly<Record<string, unknown>>,
  source: BlockNode | undefined,
) => Promise<Measure>;

/** An image format as the registry holds it: a type of kind "block-format" whose class data are its operations. */
export interface BlockFormat extends TypeSpec {
  readonly kind: "block-format";
  readonly class: Readonly<Record<string, unknown>> & { readonly format: FormatOps };
}

/** The erased operations of a format. `open` takes options that `props` has parsed. */
export interface FormatOps {
  /** What `-f` and `driver=` call it. */
  readonly name: string;
  /** Options besides `file` and `backing` that are nodes. */
  readonly children: readonly string[];
  /** 0 (not this format) to 100 (certain), from the first bytes and the name. */
  readonly probe: (head: Uint8Array, filename: string) => number;
  /** Opens an image; the node owns `file`. @throws BlockError "not-this-format", "corrupt", "unsupported-feature" */
  readonly open: (file: BlockNode, options: never, ctx: FormatContext) => Promise<BlockNode>;
  /** Writes a new image; absent = the format is only read. */
  readonly create?: CreateImage;
  /** Options of `create`. */
  readonly createOptions?: z.ZodObject;
  /** What an image would take; absent = nobody can tell before. */
  readonly measure?: MeasureImage;
  /** Keys of `createOptions` that can change in an image that is there. */
  readonly amendOptions?: readonly string[];
}

/** Declares an image format. */
export function defineFormat<O extends z.ZodObject>(spec: FormatSpec<O>): BlockFormat {
  const format: FormatOps = {
    name: spec.name,
    children: spec.children ?? [],
    probe: spec.probe ?? (() => 0),
    open: spec.open,
    ...(spec.create ? { create: spec.create } : {}),
    ...(spec.measure ? { measure: spec.measure } : {}),
    ...(spec.amendOptions ? { amendOptions: spec.amendOptions } : {}),
  };
  if (spec.createOptions) later(format, "createOptions", spec.createOptions);
  const type: BlockFormat = { name: spec.name, kind: "block-format", summary: spec.summary, class: { format } };
  if (spec.options) later(type, "props", spec.options);
  return type;
}

/** Gives an object a schema, made when it is first asked for. */
function later(to: object, name: string, schema: z.ZodObject | (() => z.ZodObject)): void {
  Object.defineProperty(to, name, { get: lazy(schema), enumerable: true });
}

/** Bytes of an image that probes see. */
export const PROBE_BYTES = 2048;

/** The format with the highest score; raw when none claims the bytes. */
export function probe(formats: Iterable<FormatOps>, head: Uint8Array, filename: string): string {
  let best = "raw";
  let score = 1;
  for (const f of formats) {
    const s = f.probe(head, filename);
    if (s > score) [best, score] = [f.name, s];
  }
  return best;
}
