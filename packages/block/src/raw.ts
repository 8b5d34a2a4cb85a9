import { onOff, size as byteCount } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "./errors.ts";
import type { BlockFormat } from "./format.ts";
import { defineFormat } from "./format.ts";
import type { HostFile } from "./host-file.ts";
import type { BlockNode } from "./node.ts";
import { isZero } from "./node.ts";
import type { BlockStatus } from "./status.ts";
import { statusOf } from "./status.ts";
import type { Preallocation } from "./take-space.ts";
import { takeSpace } from "./take-space.ts";

/** Bytes at the start of an image that probing looks at, and that a probed raw image guards. */
export const PROBE_GUARD = 512;

/** A window on another node: driver "raw". */
export class RawNode implements BlockNode {
  readonly driver: string = "raw";
  readonly name: string;
  readonly sectorSize: number;
  readonly children: Readonly<Record<string, BlockNode>>;
  readonly filename?: string;
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly writeZeroes?: (at: number, length: number, unmap: boolean) => Promise<void>;
  readonly readv?: (at: number, into: readonly Uint8Array[]) => Promise<void>;
  readonly readNow?: (at: number, into: readonly Uint8Array[]) => boolean;
  readonly writev?: (at: number, from: readonly Uint8Array[]) => Promise<void>;
  readonly resize?: (size: number) => Promise<void>;
  readonly copyFrom?: (file: HostFile, from: number, at: number, length: number) => Promise<boolean>;
  readonly #file: BlockNode;
  readonly #offset: number;
  #readOnly: boolean;
  readonly #fixed: number | undefined;
  readonly #looksLike: ((head: Uint8Array) => string) | undefined;

  /** `looksLike` names the format that a probe of the head would choose; given only when the format itself was probed. */
  constructor(
    name: string,
    file: BlockNode,
    opts: { offset?: number; size?: number; readOnly: boolean; looksLike?: (head: Uint8Array) => string },
  ) {
    this.name = name;
    this.#file = file;
    this.#offset = opts.offset ?? 0;
    this.#readOnly = opts.readOnly;
    this.#fixed = opts.size;
    this.#looksLike = this.#offset === 0 ? opts.looksLike : undefined;
    this.sectorSize = file.sectorSize;
    this.children = { file };
    if (file.filename !== undefined) this.filename = file.filename;
    const offset = this.#offset;
    const { copyFrom, discard, writeZeroes, readNow, readv, resize, writev } = file;
    if (copyFrom && !this.#looksLike)
      this.copyFrom = (source, from, at, length) => copyFrom.call(file, source, from, at + offset, length);
    if (discard) this.discard = (at, length) => discard.call(file, at + offset, length);
    if (writeZeroes) this.writeZeroes = (at, length, unmap) => writeZeroes.call(file, at + offset, length, unmap);
    if (readv) this.readv = (at, into) => readv.call(file, at + offset, into);
    if (readNow) this.readNow = (at, into) => readNow.call(file, at + offset, into);
    if (writev && !this.#looksLike) this.writev = (at, from) => writev.call(file, at + offset, from);
    if (resize && opts.size === undefined) this.resize = (size) => resize.call(file, size + offset);
  }

  /** The bytes lie in the file as they are: the status is that of the file there. */
  async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const status = await statusOf(this.#file, at + this.#offset, length);
    return { ...status, allocated: true };
  }

  async allocated(): Promise<number | undefined> {
    return this.#file.allocated?.();
  }

  get readOnly(): boolean {
    return this.#readOnly || this.#file.readOnly;
  }
  async reopen(opts: { readOnly: boolean }): Promise<void> {
    this.#readOnly = opts.readOnly;
  }
  get size(): number {
    return this.#fixed ?? this.#file.size - this.#offset;
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#file.read(at + this.#offset, into);
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    if (this.#looksLike && at < PROBE_GUARD) await this.#guard(at, from, this.#looksLike);
    return this.#file.write(at + this.#offset, from);
  }

  flush(): Promise<void> {
    return this.#file.flush();
  }
  close(): Promise<void> {
    return this.#file.close();
  }

  /** A guest must not turn its raw disk into an image that names host files the next time it is probed. */
  async #guard(at: number, from: Uint8Array, looksLike: (head: Uint8Array) => string): Promise<void> {
    const head = new Uint8Array(Math.min(PROBE_GUARD, this.size));
    await this.#file.read(this.#offset, head);
    head.set(from.subarray(0, head.length - at), at);
    if (isZero(head)) return;
    const format = looksLike(head);
    if (format === "raw") return;
    throw new BlockError(
      "permission",
      `Refused to write a ${format} header to sector 0 of '${this.filename ?? this.name}': its format was not given and was ` +
        `guessed as raw, so the next start would open it as ${format}. Say format=raw to allow the write`,
      { at },
    );
  }
}

/** The raw format: bytes as they are, or a part of them. */
export const raw: BlockFormat = defineFormat({
  name: "raw",
  summary: "Plain bytes, or a window on them",
  options: () =>
    z.strictObject({
      offset: byteCount.default(0).describe("first byte of the window in the file"),
      size: byteCount.optional().describe("bytes of the window; the rest of the file when not given"),
    }),
  probe: () => 1, // anything is raw when it is nothing else
  createOptions: () =>
    z.strictObject({
      size: byteCount.optional().describe("Virtual disk size"),
      preallocation: z
        .enum(["off", "falloc", "full"])
        .default("off")
        .describe("Preallocation mode (allowed values: off, falloc, full)"),
      nocow: onOff.optional().describe("Turn off copy-on-write (valid only on btrfs)"),
    }),
  async create(file, size, { preallocation }) {
    const bytes = Math.ceil(size / 512) * 512;
    if (!file.resize) {
      if (file.size < bytes)
        throw new BlockError(
          "no-space",
          `'${file.filename ?? file.name}' has ${file.size} bytes; the image needs ${bytes}`,
        );
      return;
    }
    await file.resize(bytes);
    await takeSpace(file, 0, bytes, preallocation as Preallocation);
  },
  async measure(size) {
    const bytes = Math.ceil(size / 512) * 512;
    return { required: bytes, fullyAllocated: bytes };
  },
  async open(file, { offset, size }, ctx) {
    const room = file.size - offset;
    if (room < 0)
      throw new BlockError("bad-option", `raw: offset ${offset} lies beyond the end of the file (${file.size} bytes)`);
    if (size !== undefined && size > room)
      throw new BlockError("bad-option", `raw: size ${size} is more than the ${room} bytes after offset ${offset}`);
    const looksLike = ctx.probed ? ctx.looksLike : undefined;
    return new RawNode(ctx.name, file, {
      offset,
      readOnly: ctx.readOnly,
      ...(size === undefined ? {} : { size }),
      ...(looksLike ? { looksLike } : {}),
    });
  },
});
