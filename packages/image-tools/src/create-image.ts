import { BlockError, protocolOf } from "@mimus/block";
import type { FormatOps } from "@mimus/block";
import { describeSchema } from "@mimus/qom";
import type { PropertyHelp } from "@mimus/qom";
import { messageOf, ToolError } from "./errors.ts";
import { keyValues } from "./key-values.ts";
import { parseBytes } from "./sizes.ts";
import type { Tools } from "./tools.ts";

/** Options of the file below, for every format. */
const FILE_OPTIONS: readonly PropertyHelp[] = [
  {
    name: "extent_size_hint",
    type: "size",
    required: false,
    description: "Size of extents that a file system is asked for; accepted, the host chooses",
  },
  {
    name: "nocow",
    type: "bool",
    required: false,
    description: "No copy-on-write in the file system; accepted, the host chooses",
  },
  { name: "preallocation", type: "str", required: false, description: "Space taken beforehand: off, falloc or full" },
  { name: "size", type: "size", required: false, description: "Virtual disk size" },
];

/** The order in which options are printed while an image is made. Source: measured with qemu-img 7.2. */
const ORDER: readonly string[] =
  `encryption encrypt.format encrypt.key-secret encrypt.cipher-alg encrypt.cipher-mode encrypt.ivgen-alg encrypt.ivgen-hash-alg
  encrypt.hash-alg encrypt.iter-time CLUSTERS extended_l2 PREALLOCATION compression_type size compat backing_file backing_fmt data_file
  data_file_raw lazy_refcounts refcount_bits adapter_type compat6 hwversion toolsversion zeroed_grain log_size block_size subformat
  force_size block_state_zero static cluster_size table_size key-secret cipher-alg cipher-mode ivgen-alg ivgen-hash-alg hash-alg
  iter-time preallocation nocow extent_size_hint`.split(/\s+/);

const EARLY: Readonly<Record<string, string>> = { cluster_size: "CLUSTERS", preallocation: "PREALLOCATION" };

/** Options whose value is printed although the user gave none. */
const SHOWN: ReadonlySet<string> = new Set(
  "cluster_size extended_l2 compression_type lazy_refcounts refcount_bits compat6 hwversion log_size block_size static".split(
    " ",
  ),
);

/** The options with which a format makes images. */
export class CreateOptions {
  readonly format: string;
  readonly ops: FormatOps;
  readonly values: Record<string, string> = {};
  readonly #known: ReadonlyMap<string, PropertyHelp>;

  constructor(format: string, ops: FormatOps) {
    this.format = format;
    this.ops = ops;
    this.#known = new Map(helpOf(ops, true).map((p) => [p.name, p]));
  }

  /** Takes one `-o`. @throws ToolError "Invalid parameter" */
  add(text: string): void {
    for (const [name, value] of Object.entries(keyValues(text))) this.set(name, value);
  }
  set(name: string, value: string): void {
    const known = this.#known.get(name);
    if (known === undefined) throw new ToolError(`Invalid parameter '${name}'`);
    if (known.type === "size" && parseBytes(value) === undefined)
      throw new ToolError(
        `Parameter '${name}' expects a non-negative number below 2^64\nOptional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\nand exabytes, respectively.`,
      );
    if (known.type === "bool" && !/^(on|off|yes|no|true|false|y|n)$/.test(value))
      throw new ToolError(`Parameter '${name}' expects 'on' or 'off'`);
    this.values[name] = value;
  }
  knows(name: string): boolean {
    return this.#known.has(name);
  }
  /** What the format's own `create` takes: without the size and what belongs to the file. */
  own(): Record<string, string> {
    const own = new Set(helpOf(this.ops, false).map((p) => p.name));
    return Object.fromEntries(Object.entries(this.values).filter(([name]) => own.has(name)));
  }

  /** What opening the new image needs: the secrets that it was made with. */
  secrets(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.values).filter(([name]) => /(^|\.)key-secret$/.test(name)));
  }

  /** `fmt=raw size=1048576 ...`. */
  line(size: number): string {
    const values: Record<string, string> = { ...this.values, size: String(size) };
    for (const p of this.#known.values())
      if (SHOWN.has(p.name) && values[p.name] === undefined && p.default !== undefined)
        values[p.name] = String(p.default);
    const rank = (name: string): number => {
      // Where these two stand depends on whether the format has its own part in them.
      const early = this.#known.has("extended_l2") ? EARLY[name] : undefined;
      const at = ORDER.indexOf(early ?? name);
      return at < 0 ? ORDER.length : at;
    };
    const items = Object.entries(values)
      .toSorted(([a], [b]) => rank(a) - rank(b))
      .map(([name, value]) => `${name}=${this.#shown(name, value)}`);
    return [`fmt=${this.format}`, ...items].join(" ");
  }

  #shown(name: string, value: string): string {
    const type = this.#known.get(name)?.type;
    if (type === "size") return String(parseBytes(value) ?? value);
    if (type === "bool") return /^(on|yes|true|y)$/.test(value) ? "on" : "off";
    return value.replaceAll(",", ",,");
  }
}

/** Reads `-f` and all `-o`. @throws ToolError */
export async function createOptions(tools: Tools, format: string, texts: readonly string[]): Promise<CreateOptions> {
  const ops = await formatOps(tools, format);
  if (ops.create === undefined) throw new ToolError(`Format driver '${format}' does not support image creation`);
  const options = new CreateOptions(format, ops);
  for (const text of texts) options.add(text);
  return options;
}

/** A format by its name. @throws ToolError "Unknown file format" */
export async function formatOps(tools: Tools, format: string): Promise<FormatOps> {
  if (!tools.host.registry.has(format, "block-format")) throw new ToolError(`Unknown file format '${format}'`);
  return tools.graph.format(format);
}

/** `-o help`. */
export function createHelp(format: string, ops: FormatOps, filename: string | undefined): string {
  const list = optionList(helpOf(ops, filename !== undefined));
  if (filename !== undefined) return `Supported options:\n${list}`;
  return (
    `Supported ${format} options:\n${list}\nThe protocol level may support further options.\n` +
    "Specify the target filename to include those options.\n"
  );
}

/** One line for each option, by name. */
export function optionList(options: readonly PropertyHelp[]): string {
  return options
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((p) => `${`  ${p.name}=<${typeName(p.type)}>`.padEnd(24)} - ${p.description ?? ""}\n`)
    .join("");
}

function typeName(type: string): string {
  if (type === "size") return "size";
  if (type === "bool") return "bool (on/off)";
  return /^(u?int|number)/.test(type) ? "num" : "str";
}

function helpOf(ops: FormatOps, withFile: boolean): PropertyHelp[] {
  const own = ops.createOptions === undefined ? [] : describeSchema(ops.createOptions);
  const more = withFile ? FILE_OPTIONS : FILE_OPTIONS.filter((p) => p.name === "size");
  return [...own, ...more.filter((p) => !own.some((o) => o.name === p.name))];
}

/** Makes the image. A file that was not there before is not there after a failure. @throws ToolError with the reason alone */
export async function makeImage(
  tools: Tools,
  options: CreateOptions,
  filename: string,
  size: number,
  unsafeBacking = false,
): Promise<void> {
  const { allocated, remove } = tools.host;
  const isNew = protocolOf(filename) === undefined && allocated && (await allocated(filename)) === undefined;
  try {
    await tools.graph.create(options.format, filename, size, options.own(), { unsafeBacking });
  } catch (error) {
    if (isNew === true) await remove?.(filename);
    if (!(error instanceof BlockError) && !(error instanceof ToolError)) throw error;
    throw new ToolError(messageOf(error).replace(/^Could not open (?=')/, "Could not create "), { cause: error });
  }
}
