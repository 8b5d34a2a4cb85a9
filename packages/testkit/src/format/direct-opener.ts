import {
  BlockError,
  type BlockFormat,
  type BlockNode,
  type FormatContext,
  type FormatOps,
  NullNode,
  protocolOf,
  resolveBeside,
} from "@mimus/block";
import type { z } from "zod";
import type { FormatRig } from "./rig.ts";
import type { ScratchFile } from "./scratch-file.ts";

/** Opens images of one format without a block graph around them: the same policy for names, none of the cost. */
export class DirectOpener {
  readonly #format: FormatOps;
  readonly #options: unknown;
  readonly #files: ReadonlyMap<string, ScratchFile>;
  readonly #image: ScratchFile;
  readonly #rig: FormatRig;

  constructor(rig: FormatRig, files: readonly ScratchFile[]) {
    const { format, open } = rig.options;
    this.#rig = rig;
    this.#format = format.class.format;
    this.#options = optionsOf(format, open);
    this.#files = new Map(files.map((file) => [file.name, file]));
    const image = files.find((file) => file.name === rig.filename) ?? files[0];
    if (image === undefined) throw new RangeError("an image needs a file");
    this.#image = image;
  }

  open(readOnly: boolean): Promise<BlockNode> {
    const { name: filename } = this.#image;
    const ctx: FormatContext = {
      name: "node",
      readOnly,
      probed: false,
      filename,
      explicitBacking: undefined,
      children: {},
      backing: async (name) => this.#named(name),
      extent: async (name) => this.#named(name, true),
      looksLike: () => "raw",
      warn: () => undefined,
      host: this.#rig.host,
      format: async (name) => {
        const format = this.#rig.formatNamed(name);
        if (!format) throw new BlockError("bad-option", `'${filename}': no format '${name}'`);
        return format;
      },
    };
    return this.#format.open(this.#image, this.#options as never, ctx);
  }

  #named(name: string, inside = false): BlockNode {
    const image = this.#image.name;
    const refuse = (why: string): never => {
      throw new BlockError("bad-option", `'${image}' names '${name}': ${why}`);
    };
    if (protocolOf(name) !== undefined) refuse("an image may name only files");
    if (inside && (name.startsWith("/") || name.split("/").includes("..") || name === ""))
      refuse("it lies outside its own folder");
    const path = resolveBeside(image, name);
    if (path === image && !inside) throw new BlockError("corrupt", `'${image}' names '${name}': a chain that loops`);
    const file = this.#files.get(path);
    if (file) return file;
    if (path === "base.img")
      return new NullNode("base.img", { driver: "null-co", size: 1 << 18, zeroes: true, readOnly: true });
    throw new BlockError("not-found", `'${image}': could not open '${name}': no such file`);
  }
}

function optionsOf(format: BlockFormat, open: Readonly<Record<string, unknown>> = {}): unknown {
  const props = format.props as z.ZodObject | undefined;
  return props?.parse(open) ?? open;
}
