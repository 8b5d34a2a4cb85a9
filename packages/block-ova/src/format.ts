import { decodeUtf8 } from "@mimus/bits";
import {
  type BlockFormat,
  BlockError,
  type BlockNode,
  type BlockStatus,
  defineFormat,
  type FormatContext,
  RawNode,
  statusOf,
} from "@mimus/block";
import { u32 } from "@mimus/qom";
import { z } from "zod";
import { type OvfDisk, parseOvf } from "./ovf.ts";
import { headerName, isTar, listTar, type TarMember } from "./tar.ts";

/** Bytes of a descriptor, at most. */
const MOST_OVF: number = 1 << 20;
const SECTOR = 512;

/** The archive, as its disks see it: what one names lies in it, and nowhere else. */
class Archive {
  readonly filename: string;
  readonly disks: readonly OvfDisk[];
  readonly #file: BlockNode;
  readonly #members: readonly TarMember[];

  constructor(file: BlockNode, members: readonly TarMember[], disks: readonly OvfDisk[]) {
    this.#file = file;
    this.filename = file.filename ?? file.name;
    this.#members = members;
    this.disks = disks;
  }

  static async open(file: BlockNode): Promise<Archive> {
    const filename = file.filename ?? file.name;
    const members = await listTar(file);
    const descriptor = members.find((m) => /\.ovf$/i.test(m.name));
    if (!descriptor) throw new BlockError("corrupt", `'${filename}': the archive has no .ovf file`);
    if (descriptor.size > MOST_OVF)
      throw new BlockError(
        "corrupt",
        `'${filename}': '${descriptor.name}' of ${descriptor.size} bytes must be at most ${MOST_OVF}`,
      );
    const bytes = new Uint8Array(descriptor.size);
    await file.read(descriptor.at, bytes);
    return new Archive(file, members, parseOvf(decodeUtf8(bytes), `${filename}: ${descriptor.name}`));
  }

  /** A file of the archive as a node of its own, which leaves the archive open. */
  member(name: string): BlockNode {
    const found = this.#members.find((m) => m.name === name || m.name === `./${name}`);
    if (!found) throw new BlockError("not-found", `'${this.filename}': the archive has no file '${name}'`);
    const size = Math.ceil(found.size / SECTOR) * SECTOR;
    return new Member(found.name, this.#file, found.at, size);
  }

  /** Opens the disk with a number. Its parents lie in the archive, too. */
  async disk(index: number, ctx: FormatContext, below: readonly number[] = []): Promise<BlockNode> {
    const disk = this.disks[index];
    if (!disk)
      throw new BlockError(
        "bad-option",
        `'${this.filename}': disk ${index} must be 0 to ${this.disks.length - 1} (${this.#names()})`,
      );
    if (below.includes(index))
      throw new BlockError("corrupt", `'${this.filename}': disk '${disk.id}' is its own parent`);
    if (disk.filename === undefined)
      throw new BlockError("unsupported-feature", `'${this.filename}': disk '${disk.id}' is empty: it has no file`);
    if (disk.compression !== undefined && disk.compression !== "" && disk.compression !== "identity")
      throw new BlockError(
        "unsupported-feature",
        `'${this.filename}': compression '${disk.compression}' of '${disk.filename}' is not read`,
      );
    if (disk.chunked)
      throw new BlockError(
        "unsupported-feature",
        `'${this.filename}': '${disk.filename}' is in chunks, which are not read`,
      );
    const parent = disk.parent === undefined ? -1 : this.disks.findIndex((d) => d.id === disk.parent);
    const inner: FormatContext = {
      ...ctx,
      readOnly: true,
      filename: disk.filename,
      explicitBacking: undefined,
      extent: async (name) => this.member(name),
      backing: async (name) => {
        const number = parent >= 0 ? parent : this.disks.findIndex((d) => d.filename === name);
        if (number >= 0) return this.disk(number, ctx, [...below, index]);
        throw new BlockError(
          "bad-option",
          `'${this.filename}': '${disk.filename ?? ""}' names the parent '${name}', which is not in the archive`,
        );
      },
    };
    const { open } = await ctx.format("vmdk");
    const node = await open(this.member(disk.filename), {} as never, inner);
    if (disk.capacity !== undefined && disk.capacity !== node.size)
      ctx.warn(
        `'${this.filename}': disk '${disk.id}' has ${node.size} bytes, and the descriptor says ${disk.capacity}`,
      );
    return node;
  }

  #names(): string {
    return this.disks.map((d, i) => `${i}: ${d.filename ?? "empty"}`).join(", ") || "there are none";
  }
}

/** A file of the archive; closing it leaves the archive open. */
class Member extends RawNode {
  override readonly filename: string;

  constructor(name: string, file: BlockNode, offset: number, size: number) {
    super(name, file, { offset, size, readOnly: true });
    this.filename = name;
  }

  override async close(): Promise<void> {}
}

/** One disk of an archive. */
class OvaNode implements BlockNode {
  readonly driver: string = "ova";
  readonly name: string;
  readonly size: number;
  readonly readOnly: boolean = true;
  readonly sectorSize: number = SECTOR;
  readonly filename: string;
  readonly children: Readonly<Record<string, BlockNode>>;
  readonly image: NonNullable<BlockNode["image"]>;
  readonly #file: BlockNode;
  readonly #disk: BlockNode;

  constructor(name: string, file: BlockNode, disk: BlockNode, disks: readonly OvfDisk[], index: number) {
    this.name = name;
    this.filename = file.filename ?? file.name;
    this.size = disk.size;
    this.children = { file };
    this.#file = file;
    this.#disk = disk;
    const { clusterSize, check, info } = disk.image ?? {};
    const list = disks.map((d) => ({
      id: d.id,
      ...(d.filename === undefined ? {} : { filename: d.filename }),
      ...(d.capacity === undefined ? {} : { "virtual-size": d.capacity }),
      format: d.format,
    }));
    this.image = {
      ...(clusterSize === undefined ? {} : { clusterSize }),
      ...(check ? { check: (_repair, progress) => check.call(disk.image, "none", progress) } : {}),
      info: async () => ({
        specific: {
          type: "ova",
          data: { disk: index, disks: list, image: (await info?.call(disk.image))?.specific?.data ?? {} },
        },
      }),
    };
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#disk.read(at, into);
  }
  write(): Promise<void> {
    return Promise.reject(new BlockError("read-only", `'${this.filename}': disks of an archive are only read`));
  }
  async flush(): Promise<void> {}
  blockStatus(at: number, length: number): Promise<BlockStatus> {
    return statusOf(this.#disk, at, length);
  }
  async close(): Promise<void> {
    try {
      await this.#disk.close();
    } finally {
      await this.#file.close();
    }
  }
}

/** A virtual machine in one file: a disk of an OVF package. */
export const ova: BlockFormat = defineFormat({
  name: "ova",
  summary: "A disk of an Open Virtualization Format archive, read-only",
  options: z.strictObject({
    disk: u32.default(0).describe("which disk of the archive, counted from 0"),
  }),
  probe: (head, filename) => {
    if (!isTar(head)) return 0;
    return /\.ovf$/i.test(headerName(head)) ? 100 : /\.ova$/i.test(filename) ? 80 : 0;
  },
  async open(file, { disk }, ctx) {
    const filename = file.filename ?? file.name;
    const head = new Uint8Array(Math.min(SECTOR, file.size));
    await file.read(0, head);
    if (!isTar(head)) throw new BlockError("not-this-format", `'${filename}': no tar archive`, { at: 0 });
    if (!ctx.readOnly)
      throw new BlockError(
        "read-only",
        `'${filename}': disks of an archive are only read: open it with read-only=on, or convert it`,
      );
    const archive = await Archive.open(file);
    return new OvaNode(ctx.name, file, await archive.disk(disk, ctx), archive.disks, disk);
  },
});
