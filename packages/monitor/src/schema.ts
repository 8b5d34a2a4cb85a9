import { driverOptions } from "@mimus/block";
import type { Registry } from "@mimus/qom";
import { type ZodObject, z } from "zod";

/** One entry of what `query-qmp-schema` answers. Source: QEMU 7.2, qapi/introspect.json, SchemaInfo. */
export interface SchemaInfo {
  readonly name: string;
  readonly "meta-type": "builtin" | "enum" | "array" | "object" | "alternate" | "command" | "event";
  readonly [key: string]: unknown;
}

/** Events about disks, jobs and exports. */
export const BLOCK_EVENTS: readonly string[] = [
  ...["BLOCK_IO_ERROR", "BLOCK_JOB_CANCELLED", "BLOCK_JOB_COMPLETED", "BLOCK_JOB_ERROR", "BLOCK_JOB_PENDING"],
  ...["BLOCK_JOB_READY", "BLOCK_WRITE_THRESHOLD", "JOB_STATUS_CHANGE"],
];
/** Events of the machine. */
export const MACHINE_EVENTS: readonly string[] = [
  ...["BLOCK_EXPORT_DELETED", "DEVICE_TRAY_MOVED", "RESET", "RESUME", "SHUTDOWN", "STOP", "SUSPEND"],
];

const BUILTIN: Readonly<Record<string, string>> = {
  str: "string",
  int: "int",
  number: "number",
  bool: "boolean",
  null: "null",
  any: "value",
};

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** How the command line reads it; see qom. */
  readonly qomType?: string;
}

interface Member {
  readonly name: string;
  readonly type: string;
  /** There, and null: it may be left out. */
  readonly default?: null;
}

/** Types of a schema, each once; names without a meaning, as QEMU gives them. */
class Types {
  readonly list: SchemaInfo[] = [];
  readonly #known: Map<string, string> = new Map();
  #count = 0;

  builtin(name: string): string {
    return this.#once(name, () => ({ name, "meta-type": "builtin", "json-type": BUILTIN[name] }));
  }
  array(element: string): string {
    const name = `[${element}]`;
    return this.#once(name, () => ({ name, "meta-type": "array", "element-type": element }));
  }
  enumeration(values: readonly string[]): string {
    return this.#once(`enum ${values.join("|")}`, (name) => ({
      ...{ name, "meta-type": "enum", values, members: values.map((value) => ({ name: value })) },
    }));
  }
  object(members: readonly Member[]): string {
    return this.#once(`object ${JSON.stringify(members)}`, (name) => ({ name, "meta-type": "object", members }));
  }
  /** One of several types; a single one is itself. */
  choice(types: readonly string[]): string {
    const [first = "any", ...more] = [...new Set(types)];
    if (more.length === 0) return first;
    const members = [first, ...more].map((type) => ({ type }));
    return this.#once(`choice ${JSON.stringify(members)}`, (name) => ({ name, "meta-type": "alternate", members }));
  }
  /** A name for a type that is described later. */
  reserve(): string {
    return String(this.#count++);
  }

  #once(key: string, make: (name: string) => SchemaInfo): string {
    let name = this.#known.get(key);
    if (name === undefined) {
      const own = /^(enum|object|choice) /.test(key) ? this.reserve() : key;
      this.#known.set(key, (name = own));
      this.list.push(make(own));
    }
    return name;
  }

  /** The type of an argument. */
  of(schema: JsonSchema): string {
    const { qomType, anyOf = schema.oneOf, type } = schema;
    if (qomType === "bool") return this.builtin("bool");
    if (qomType !== undefined && /^(u?int|size|hex)/.test(qomType)) return this.builtin("int");
    const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
    if (values?.every((v) => typeof v === "string") === true) return this.enumeration(values as string[]);
    if (anyOf !== undefined) return this.choice(anyOf.map((each) => this.of(each)));
    if (type === "array") return this.array(this.of(schema.items ?? {}));
    if (type === "object" && schema.properties !== undefined) return this.object(this.members(schema));
    const name = type === "string" ? "str" : type === "boolean" ? "bool" : type === "integer" ? "int" : type;
    return this.builtin(name !== undefined && name in BUILTIN ? name : "any");
  }

  members({ properties = {}, required = [] }: JsonSchema): Member[] {
    return Object.entries(properties).map(([name, schema]) => ({
      ...{ name, type: this.of(schema) },
      ...(required.includes(name) ? {} : { default: null }),
    }));
  }
}

/** Commands of QMP itself. */
const PROTOCOL: readonly { readonly name: string; readonly schema: ZodObject }[] = [
  { name: "qmp_capabilities", schema: z.strictObject({ enable: z.array(z.enum(["oob"])).optional() }) },
  ...["query-commands", "query-qmp-schema", "query-version"].map((name) => ({ name, schema: z.strictObject({}) })),
];

function jsonSchema(schema: ZodObject): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
}

/**
 * What `query-qmp-schema` answers: commands with the arguments that their schemas declare, and `blockdev-add` with the options of
 * each driver that `registry` has. Answers are of type "any", and events have no members: they are not declared.
 */
export async function qmpSchema(
  commands: readonly { readonly name: string; readonly schema: ZodObject }[],
  events: readonly string[],
  registry: Registry | undefined,
): Promise<readonly SchemaInfo[]> {
  const types = new Types();
  const nodes = registry === undefined ? undefined : await nodeOptions(types, registry);
  const own = new Map<string, () => string>();
  if (nodes !== undefined) {
    const options = types.array(nodes);
    own.set("blockdev-add", () => nodes);
    own.set("blockdev-reopen", () => types.object([{ name: "options", type: options }]));
  }
  const answer = types.builtin("any");
  const list = [...commands, ...PROTOCOL].map(({ name, schema }): SchemaInfo => {
    const type = own.get(name)?.() ?? types.object(types.members(jsonSchema(schema)));
    return { name, "meta-type": "command", "arg-type": type, "ret-type": answer };
  });
  const nothing = types.object([]);
  const told = [...new Set(events)].map((name): SchemaInfo => ({ name, "meta-type": "event", "arg-type": nothing }));
  return [...list.toSorted((a, b) => (a.name < b.name ? -1 : 1)), ...told, ...types.list];
}

/** The options of a node: those that all have, and those of each driver, by its name. */
async function nodeOptions(types: Types, registry: Registry): Promise<string> {
  const { common, drivers } = await driverOptions(registry);
  const name = types.reserve();
  const reference = types.choice([name, types.builtin("str")]);
  const orNone = types.choice([name, types.builtin("str"), types.builtin("null")]);
  const variants = drivers.map((driver) => {
    const children = Object.entries(driver.children).map(([role, need]): Member => ({
      ...{ name: role, type: role === "backing" ? orNone : reference },
      ...(need === "required" ? {} : { default: null }),
    }));
    return { case: driver.name, type: types.object([...types.members(jsonSchema(driver.own)), ...children]) };
  });
  const names = types.enumeration([...new Set(drivers.map((d) => d.name))]);
  const shared = types.members(jsonSchema(common)).filter((m) => m.name !== "driver");
  types.list.push({
    ...{ name, "meta-type": "object", tag: "driver", variants },
    members: [{ name: "driver", type: names }, ...shared],
  });
  return name;
}
