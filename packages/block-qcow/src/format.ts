import type { BlockFormat, BlockNode, BlockStatus, ClusterNodeOptions, FormatContext } from "@mimus/block";
import { BlockError, ClusterNode, defineFormat } from "@mimus/block";
import type { SectorCipher } from "@mimus/crypto";
import { legacyQcowCipher } from "@mimus/crypto";
import { z } from "zod";
import { check } from "./check.ts";
import { QcowMap } from "./cluster-map.ts";
import { create, createOptions, measure } from "./create.ts";
import type { Header } from "./header.ts";
import { isQcow, readHeader } from "./header.ts";

/** The qcow format, version 1. */
export const qcow: BlockFormat = defineFormat({
  name: "qcow",
  summary: "QEMU copy-on-write image, version 1",
  options: z.strictObject({
    encrypt: z
      .strictObject({
        format: z.literal("aes").optional(),
        "key-secret": z.string().describe("id of the secret with the image's password"),
      })
      .optional(),
  }),
  probe: (head) => (isQcow(head) ? 100 : 0),
  create,
  createOptions,
  measure,
  async open(file, options, ctx) {
    const header = await readHeader(file, ctx.filename);
    const cipher = header.encrypted ? await cipherOf(options.encrypt?.["key-secret"], ctx) : undefined;
    if (!header.encrypted && options.encrypt)
      throw new BlockError("bad-option", `'${ctx.filename}' is not encrypted: encrypt must not be given`);
    const map = new QcowMap({ file, header, codecs: ctx.host.codecs, cipher });
    const backing = await backingOf(header, ctx);
    const node = new QcowNode({
      name: ctx.name,
      driver: "qcow",
      size: header.diskBytes,
      readOnly: ctx.readOnly,
      file,
      map,
      backing,
      reopen: async () => undefined,
      image: {
        clusterSize: map.clusterSize,
        info: async () => ({
          ...(header.backingFile === undefined ? {} : { backingFile: header.backingFile }),
          ...(header.encrypted ? { encrypted: true } : {}),
        }),
        check: () => check(map, Math.ceil(header.diskBytes / map.clusterSize)),
        makeEmpty: () => map.empty(),
        ...(header.encrypted
          ? {}
          : { writeCompressed: (at: number, from: Uint8Array) => node.writeCompressed(at, from) }),
      },
    });
    return node;
  },
});

async function cipherOf(id: string | undefined, ctx: FormatContext): Promise<SectorCipher> {
  if (id === undefined)
    throw new BlockError(
      "bad-option",
      `'${ctx.filename}' is encrypted: encrypt.key-secret must name the secret with its password`,
    );
  return legacyQcowCipher(await ctx.host.secret(id));
}

async function backingOf(header: Header, ctx: FormatContext): Promise<BlockNode | undefined> {
  if (ctx.explicitBacking !== undefined) return ctx.explicitBacking ?? undefined;
  return header.backingFile === undefined ? undefined : ctx.backing(header.backingFile);
}

class QcowNode extends ClusterNode {
  readonly #map: QcowMap;
  readonly #encrypted: boolean;

  constructor(options: ClusterNodeOptions & { readonly map: QcowMap }) {
    super(options);
    this.#map = options.map;
    this.#encrypted = options.map.store !== undefined;
  }

  override async blockStatus(at: number, length: number): Promise<BlockStatus> {
    const status = await super.blockStatus(at, length);
    if (!this.#encrypted || !status.compressed) return status;
    return { length: status.length, allocated: true, zero: false, data: true };
  }

  /** Stores one cluster compressed. What is left of the disk's last cluster reads as zeroes. */
  async writeCompressed(at: number, from: Uint8Array): Promise<void> {
    const unit = this.#map.clusterSize;
    if (at % unit !== 0 || from.length > unit || (from.length < unit && at + from.length < this.size))
      throw new BlockError(
        "bad-option",
        `compressed writes are whole clusters of ${unit} bytes, not ${from.length} at ${at}`,
        { at },
      );
    let bytes = from;
    if (from.length < unit) {
      bytes = new Uint8Array(unit);
      bytes.set(from);
    }
    await this.#map.writeCompressed(at / unit, bytes);
    this.forget(at / unit);
  }
}
