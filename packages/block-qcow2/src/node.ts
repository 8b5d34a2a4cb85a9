import { BlockError } from "@mimus/block";
import type { BlockNode, BlockStatus, ImageOps } from "@mimus/block";
import * as c from "./constants.ts";
import { Compressor } from "./compress.ts";
import { flushAll, flushMetadata } from "./flush.ts";
import type { Image } from "./image.ts";
import { imageOps } from "./image-ops.ts";
import { closeChildren } from "./open.ts";
import { Reader } from "./read.ts";
import { resizeImage } from "./resize.ts";
import { statusAt, statusNow } from "./status.ts";
import { beginSession, endSession } from "./session.ts";
import { Writer } from "./write.ts";
import { Eraser } from "./zero.ts";

/** An open qcow2 image. */
export class Qcow2Node implements BlockNode {
  readonly name: string;
  readonly driver: string = "qcow2";
  readonly sectorSize: number = 512;
  readonly filename: string;
  readonly image: ImageOps;
  readonly img: Image;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly eraser: Eraser;
  readonly compressor: Compressor;

  constructor(img: Image) {
    this.img = img;
    this.name = img.ctx.name;
    this.filename = img.filename;
    this.reader = new Reader(img);
    this.writer = new Writer(img, this.reader);
    this.eraser = new Eraser(img, this.reader, this.writer);
    this.compressor = new Compressor(img, this.reader, this.writer);
    this.image = imageOps(this);
    img.flushNow = () => flushAll(img);
  }

  get size(): number {
    return this.img.size;
  }
  get readOnly(): boolean {
    return this.img.readOnly;
  }
  get children(): Readonly<Record<string, BlockNode>> {
    const { file, backing, external, data } = this.img;
    return { file, ...(external ? { "data-file": data } : {}), ...(backing ? { backing } : {}) };
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.inside(() => this.reader.read(this.img.l1, at, into));
  }

  write(at: number, from: Uint8Array): Promise<void> {
    return this.inside(() => this.writer.write(at, from));
  }

  /** Flushes wait for changes of tables, not for requests. */
  flush(): Promise<void> {
    if (this.img.readOnly) return Promise.resolve();
    return this.img.mutex.run(() => flushMetadata(this.img).catch((e: unknown) => this.img.failed(e)));
  }

  discard(at: number, length: number): Promise<void> {
    return this.inside(() => this.eraser.discard(at, length));
  }

  writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    return this.inside(() => this.eraser.writeZeroes(at, length, unmap));
  }

  blockStatus(at: number, length: number): Promise<BlockStatus> {
    return this.inside(() => statusAt(this.img, this.img.l1, at, length));
  }

  statusNow(at: number, length: number): BlockStatus | undefined {
    return this.img.gate.isOpen ? statusNow(this.img, this.img.l1, at, length) : undefined;
  }

  resize(size: number): Promise<void> {
    return resizeImage(this, size);
  }

  setBacking(node: BlockNode | undefined): void {
    this.img.backing = node;
  }

  async reopen(opts: { readOnly: boolean }): Promise<void> {
    if (opts.readOnly === this.img.readOnly) return;
    await this.img.gate.alone(async () => {
      if (opts.readOnly) {
        await this.img.mutex.run(() => endSession(this));
        this.img.readOnly = true;
        return;
      }
      this.img.readOnly = false;
      await beginSession(this);
    });
  }

  async close(): Promise<void> {
    const { img } = this;
    try {
      if (!img.readOnly) await img.mutex.run(() => endSession(this));
    } finally {
      try {
        await closeChildren(img);
      } finally {
        await img.file.close();
      }
    }
  }

  /** Runs a request; operations on the whole image wait for it. */
  async inside<T>(act: () => Promise<T>): Promise<T> {
    const entered = this.img.gate.enter();
    const generation = typeof entered === "number" ? entered : await entered;
    try {
      return await act();
    } finally {
      this.img.gate.leave(generation);
    }
  }

  /**
   * Runs an operation that has the image to itself, on tables that are stable; afterwards they are again. `clean` false: on
   * a corrupt image, too. `writes`: the disk's content changes.
   */
  alone<T>(act: () => Promise<T>, opts: { clean?: boolean; writes?: boolean } = {}): Promise<T> {
    const { img } = this;
    return img.gate.alone(() =>
      img.mutex.run(async () => {
        if (img.readOnly) throw new BlockError("read-only", `'${img.filename}' is read-only`);
        if (opts.clean !== false) img.assertUsable();
        if (opts.writes === true && !img.touched) await img.beforeWrite();
        this.reader.forget();
        await flushAll(img);
        try {
          return await act();
        } finally {
          this.reader.forget();
          if ((img.header.incompatible & c.INCOMPAT_CORRUPT) === 0) await flushAll(img);
        }
      }),
    );
  }
}
