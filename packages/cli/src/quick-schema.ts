/** zod's module. */
export type Zod = Readonly<Record<string | symbol, unknown>>;

/** The value is not what the schema wants. */
const NO = Symbol("no");
/** Only zod can tell. */
const ASK = Symbol("ask");

/** @returns what a value becomes, or NO or ASK */
type Accept = (value: unknown) => unknown;
type Shape = Readonly<Record<string, QuickSchema>>;

/** How a schema is told apart from others where it stands in one. */
interface Facts {
  /** It answers where nothing is given (optional, default). */
  readonly answersNothing?: boolean;
  readonly shape?: Shape;
  readonly strict?: boolean;
}

/**
 * A schema that takes plain values by itself, and becomes one of zod when more is asked of it: an error's text, its parts, a method
 * that is not here. Making zod's own is a third of what a tool does before it opens its first image. The test compares both.
 */
class QuickSchema {
  readonly #accept: Accept;
  readonly #facts: Facts;
  readonly #make: () => ZodSchema;
  #whole: ZodSchema | undefined;

  constructor(accept: Accept, make: () => ZodSchema, facts: Facts = {}) {
    this.#accept = accept;
    this.#make = make;
    this.#facts = facts;
  }

  /** zod's schema. */
  static whole(schema: QuickSchema): ZodSchema {
    return (schema.#whole ??= schema.#make());
  }

  static accept(schema: QuickSchema, value: unknown): unknown {
    return schema.#accept(value);
  }

  static answersNothing(schema: QuickSchema): boolean {
    return schema.#facts.answersNothing === true;
  }

  static is(value: unknown): value is QuickSchema {
    return typeof value === "object" && value !== null && #accept in value;
  }

  get shape(): unknown {
    return this.#facts.shape ?? QuickSchema.whole(this)["shape"];
  }

  parse(value: unknown, params?: unknown): unknown {
    const got = this.#accept(value);
    return isValue(got) ? got : call(this, "parse", [value, params]);
  }

  safeParse(value: unknown, params?: unknown): unknown {
    const got = this.#accept(value);
    return isValue(got) ? { success: true, data: got } : call(this, "safeParse", [value, params]);
  }

  optional(): QuickSchema {
    const { answersNothing = false } = this.#facts;
    const accept: Accept = (v) => (v === undefined && !answersNothing ? undefined : this.#accept(v));
    return this.#like("optional", [], accept, { answersNothing: true });
  }

  nullable(): QuickSchema {
    const { answersNothing = false } = this.#facts;
    return this.#like("nullable", [], (v) => (v === null ? null : this.#accept(v)), { answersNothing });
  }

  default(value: unknown): QuickSchema {
    const accept: Accept = (v) => (v === undefined ? copyOf(value) : this.#accept(v));
    return this.#like("default", [value], accept, { answersNothing: true });
  }

  prefault(value: unknown): QuickSchema {
    const accept: Accept = (v) => this.#accept(v === undefined ? copyOf(value) : v);
    return this.#like("prefault", [value], accept, { answersNothing: true });
  }

  describe(...args: unknown[]): QuickSchema {
    return this.#like("describe", args, this.#accept, this.#facts);
  }

  meta(...args: unknown[]): unknown {
    return args.length === 0 ? call(this, "meta", []) : this.#like("meta", args, this.#accept, this.#facts);
  }

  register(...args: unknown[]): QuickSchema {
    return this.#like("register", args, this.#accept, this.#facts);
  }

  min(least: number, ...rest: unknown[]): QuickSchema {
    return this.#checked("min", [least, ...rest], (v) => measureOf(v) >= least);
  }

  max(most: number, ...rest: unknown[]): QuickSchema {
    return this.#checked("max", [most, ...rest], (v) => measureOf(v) <= most);
  }

  int(...args: unknown[]): QuickSchema {
    return this.#checked("int", args, Number.isSafeInteger);
  }

  regex(pattern: RegExp, ...rest: unknown[]): QuickSchema {
    return this.#checked("regex", [pattern, ...rest], (v) => {
      pattern.lastIndex = 0;
      return pattern.test(v as string);
    });
  }

  refine(holds: (value: unknown) => unknown, ...rest: unknown[]): QuickSchema {
    return this.#checked("refine", [holds, ...rest], holds);
  }

  transform(change: (value: unknown, ctx: unknown) => unknown): QuickSchema {
    const accept: Accept = (v) => {
      const got = this.#accept(v);
      return isValue(got) ? changed(change, got) : got;
    };
    return this.#like("transform", [change], accept, { answersNothing: QuickSchema.answersNothing(this) });
  }

  strict(): unknown {
    return this.#facts.strict === true ? this.#like("strict", [], this.#accept, this.#facts) : call(this, "strict", []);
  }

  #checked(method: string, args: readonly unknown[], holds: (value: unknown) => unknown): QuickSchema {
    const accept: Accept = (v) => {
      const got = this.#accept(v);
      if (!isValue(got)) return got;
      const held = holds(got);
      return held instanceof Promise ? ASK : held ? got : NO;
    };
    return this.#like(method, args, accept, this.#facts);
  }

  #like(method: string, args: readonly unknown[], accept: Accept, facts: Facts): QuickSchema {
    return new QuickSchema(accept, () => call(this, method, args) as ZodSchema, facts);
  }
}

/** A schema of zod. */
type ZodSchema = Readonly<Record<PropertyKey, unknown>>;

function isValue(got: unknown): boolean {
  return got !== NO && got !== ASK;
}

function call(schema: QuickSchema, method: string, args: readonly unknown[]): unknown {
  const whole = QuickSchema.whole(schema);
  return (whole[method] as (...args: unknown[]) => unknown).apply(whole, args.map(wholeOf));
}

/** zod's own in place of each schema that stands in an argument, and of its registry. */
function wholeOf(value: unknown): unknown {
  if (QuickSchema.is(value)) return QuickSchema.whole(value);
  if (value instanceof LaterRegistry) return value.whole();
  if (Array.isArray(value)) return value.some(QuickSchema.is) ? value.map(wholeOf) : value;
  if (!isPlain(value) || !Object.values(value).some(QuickSchema.is)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, wholeOf(part)]));
}

/** Stands for zod's registry where a schema is registered. */
class LaterRegistry {
  readonly whole: () => unknown;

  constructor(whole: () => unknown) {
    this.whole = whole;
  }
}

// Whatever else a schema has is zod's: the prototype that is asked last hands it out.
Object.setPrototypeOf(
  QuickSchema.prototype,
  new Proxy(
    {},
    {
      get(_, key, receiver) {
        if (key === "then" || !QuickSchema.is(receiver)) return undefined;
        const whole = QuickSchema.whole(receiver);
        const found = whole[key];
        return typeof found === "function" && key !== "constructor" ? (found.bind(whole) as unknown) : found;
      },
      has: (_, key) => key === "_zod",
    },
  ),
);

function changed(change: (value: unknown, ctx: unknown) => unknown, value: unknown): unknown {
  const issues: unknown[] = [];
  const out = change(value, { value, issues, addIssue: (issue: unknown) => issues.push(issue) });
  if (out instanceof Promise) return ASK;
  return issues.length === 0 ? out : NO;
}

/** What `min` and `max` look at. */
function measureOf(value: unknown): number {
  return typeof value === "number" ? value : (value as { readonly length: number }).length;
}

/** Defaults are handed out as copies. */
function copyOf(value: unknown): unknown {
  if (typeof value === "function") return (value as () => unknown)();
  if (Array.isArray(value)) return [...(value as unknown[])];
  return isPlain(value) ? { ...value } : value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What an object does with keys that its shape does not name. */
type Others = "refuse" | "keep" | "drop";

function acceptObject(shape: Shape, others: Others, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return NO;
  if (!isPlain(value)) return ASK;
  const out: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(shape)) {
    const given = key in value;
    if (!given && !QuickSchema.answersNothing(schema)) return ASK;
    const got = QuickSchema.accept(schema, value[key]);
    if (!isValue(got)) return got;
    if (given || got !== undefined) out[key] = got;
  }
  if (others === "drop") return out;
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(shape, key)) continue;
    if (others === "refuse") return NO;
    if (key === "__proto__") return ASK;
    out[key] = value[key];
  }
  return out;
}

function acceptRecord(keys: QuickSchema, values: QuickSchema, value: unknown): unknown {
  if (!isPlain(value)) return ASK;
  const out: Record<string, unknown> = {};
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key !== "string" || key === "__proto__" || QuickSchema.accept(keys, key) !== key) return ASK;
    const got = QuickSchema.accept(values, value[key]);
    if (!isValue(got)) return got;
    out[key] = got;
  }
  return out;
}

function acceptArray(element: QuickSchema, value: unknown): unknown {
  if (!Array.isArray(value)) return NO;
  const out: unknown[] = [];
  for (const item of value as unknown[]) {
    const got = QuickSchema.accept(element, item);
    if (!isValue(got)) return got;
    out.push(got);
  }
  return out;
}

function acceptUnion(options: readonly QuickSchema[], value: unknown): unknown {
  for (const option of options) {
    const got = QuickSchema.accept(option, value);
    if (got !== NO) return got;
  }
  return NO;
}

const only =
  (holds: (value: unknown) => boolean): (() => Accept) =>
  () =>
  (value) =>
    holds(value) ? value : NO;

/** What each of zod's functions makes accept, from its arguments; undefined = only zod knows. */
const ACCEPTS: Readonly<Record<string, (...args: never[]) => Accept | undefined>> = {
  string: only((v) => typeof v === "string"),
  boolean: only((v) => typeof v === "boolean"),
  number: only((v) => Number.isFinite(v)),
  int: only((v) => Number.isSafeInteger(v)),
  unknown: only(() => true),
  never: only(() => false),
  literal: (wanted: unknown) => (v) => ((Array.isArray(wanted) ? wanted.includes(v) : v === wanted) ? v : NO),
  enum: (names: unknown) => (Array.isArray(names) ? (v) => (names.includes(v) ? v : NO) : undefined),
  array: (element: QuickSchema) => (QuickSchema.is(element) ? (v) => acceptArray(element, v) : undefined),
  union: (options: readonly QuickSchema[]) =>
    options.every(QuickSchema.is) ? (v) => acceptUnion(options, v) : undefined,
  record: (keys: QuickSchema, values: QuickSchema) =>
    QuickSchema.is(keys) && QuickSchema.is(values) ? (v) => acceptRecord(keys, values, v) : undefined,
  preprocess: (change: (value: unknown, ctx: unknown) => unknown, schema: QuickSchema) => (v) => {
    const got = changed(change, v);
    return isValue(got) && QuickSchema.is(schema) ? QuickSchema.accept(schema, got) : ASK;
  },
  strictObject: (shape: Shape = {}) => objectOf(shape, "refuse"),
  looseObject: (shape: Shape = {}) => objectOf(shape, "keep"),
  object: (shape: Shape = {}) => objectOf(shape, "drop"),
};

function objectOf(shape: Shape, others: Others): Accept | undefined {
  return Object.values(shape).every(QuickSchema.is) ? (v) => acceptObject(shape, others, v) : undefined;
}

function factsOf(name: string, [first]: readonly unknown[]): Facts {
  if (name === "union") return { answersNothing: (first as QuickSchema[]).some(QuickSchema.answersNothing) };
  return name.endsWith("bject") ? { shape: (first ?? {}) as Shape, strict: name === "strictObject" } : {};
}

/** A `z` whose schemas are quick ones; `load` gets zod when something needs it. */
export function quickZod(load: () => Zod): Zod {
  let loaded: Zod | undefined;
  const whole = (): Zod => (loaded ??= load());
  const own: Record<string, unknown> = { globalRegistry: new LaterRegistry(() => whole()["globalRegistry"]) };
  for (const [name, accepts] of Object.entries(ACCEPTS))
    own[name] = (...args: unknown[]): unknown => {
      const make = (): ZodSchema => (whole()[name] as (...args: unknown[]) => ZodSchema)(...args.map(wholeOf));
      const accept = accepts(...(args as never[]));
      return accept === undefined ? make() : new QuickSchema(accept, make, factsOf(name, args));
    };
  return new Proxy(own, { get: (target, name) => (name in target ? target[name as string] : whole()[name]) });
}
