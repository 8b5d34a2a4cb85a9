import { z } from "zod";
import { unwrap } from "./schema.ts";
import type { ResolvedType } from "./type.ts";

/** One line of `-device X,help`. */
export interface PropertyHelp {
  readonly name: string;
  /** `"uint32"`, `"bool"`, `"str"`, `"size"`, or the allowed values `"a|b"`. */
  readonly type: string;
  /** There is no default. */
  readonly required: boolean;
  /** Value when nothing is given. */
  readonly default?: unknown;
  readonly description?: string;
  /** The kind of object whose id this property takes: `"chardev"`, `"drive"`, … */
  readonly link?: string;
  /** How people write the number, where that is not a number: `"pci-address"` is slot.function. */
  readonly format?: string;
}

interface Inside {
  readonly def: {
    readonly type: string;
    readonly entries?: Readonly<Record<string, unknown>>;
    readonly values?: readonly unknown[];
    readonly element?: z.ZodType;
    readonly options?: readonly z.ZodType[];
  };
  readonly format?: string | null;
  readonly isInt?: boolean;
  readonly minValue?: number | null;
  readonly maxValue?: number | null;
}

function numberText({ format, isInt, minValue, maxValue }: Inside): string {
  const whole = format === "safeint" || format === "int32" || format === "uint32" || isInt === true;
  const min = minValue ?? Number.NEGATIVE_INFINITY;
  const max = maxValue ?? Number.POSITIVE_INFINITY;
  const bound = (n: number): string => (Number.isFinite(n) && Math.abs(n) < Number.MAX_SAFE_INTEGER ? String(n) : "");
  if (min === 0 && max === 0xff) return "uint8";
  if (min === 0 && max === 0xffff) return "uint16";
  if (min === 0 && max === 0xffffffff) return "uint32";
  if (min === -0x80000000 && max === 0x7fffffff) return "int32";
  const name = whole ? "int" : "number";
  return bound(min) || bound(max) ? `${name} (${bound(min)}..${bound(max)})` : name;
}

function typeText(schema: z.ZodType): string {
  const { base, meta } = unwrap(schema);
  if (typeof meta["qomType"] === "string") return meta["qomType"];
  const inside = base as unknown as Inside;
  switch (inside.def.type) {
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "number":
      return numberText(inside);
    case "bigint":
      return "uint64";
    case "enum":
      return Object.values(inside.def.entries ?? {}).join("|");
    case "literal":
      return (inside.def.values ?? []).map(String).join("|");
    case "array":
      return inside.def.element === undefined ? "list" : `list of ${typeText(inside.def.element)}`;
    case "union":
      return (inside.def.options ?? []).map(typeText).join("|");
    default:
      return inside.def.type;
  }
}

/** The properties of an object schema, in declaration order, without making an instance of anything. */
export function describeSchema(schema: z.ZodObject): PropertyHelp[] {
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, property]) => {
    const { optional, meta, ...rest } = unwrap(property);
    return {
      name,
      type: typeText(property),
      required: !optional,
      ...("default" in rest ? { default: rest.default } : {}),
      ...(typeof meta["description"] === "string" ? { description: meta["description"] } : {}),
      ...(typeof meta["link"] === "string" ? { link: meta["link"] } : {}),
      ...(typeof meta["format"] === "string" ? { format: meta["format"] } : {}),
    };
  });
}

/** The properties of a type, own and inherited: what `-device X,help` prints. Makes no instance. */
export function describeProps(type: ResolvedType): PropertyHelp[] {
  return describeSchema(type.props);
}

/** The help text of a type: {@link optionsText} of its properties. */
export function helpText(type: ResolvedType): string {
  return optionsText(type.name, describeProps(type));
}

/** Column of the descriptions, as QEMU has it; a longer name pushes its own aside. */
const COLUMN = 24;

/** Help for what takes properties, one a line, by name: `  name=<type>        - description (default: x)`. */
export function optionsText(name: string, properties: readonly PropertyHelp[]): string {
  if (properties.length === 0) return `${name} has no options.`;
  const lines = properties
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((p) => {
      const about = p.description ?? (p.link === undefined ? "" : `ID of a ${p.link}`);
      const more = p.required ? "(required)" : p.default === undefined ? "" : `(default: ${showDefault(p.default)})`;
      const tail = [about, more].filter((t) => t !== "").join(" ");
      const head = `  ${p.name}=<${p.type}>`;
      return tail === "" ? head : `${head.padEnd(COLUMN)} - ${tail}`;
    });
  return [`${name} options:`, ...lines].join("\n");
}

function showDefault(value: unknown): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The JSON Schema of what a user may write for a type's properties. */
export function propsJsonSchema(type: ResolvedType): Record<string, unknown> {
  return z.toJSONSchema(type.props, { io: "input", unrepresentable: "any" }) as Record<string, unknown>;
}
