/**
 * Schemas that do not load zod until they must. A tool reads a dozen options whose values nearly always fit: making hundreds of
 * schemas for that takes longer than all else that a short run does. What is declared is noted; a value that fits is found to
 * fit by {@link Run}s; whatever else is asked (an error, a description, a schema of a rarer kind) the real schema answers.
 */
import { createRequire } from "node:module";

import * as runs from "./runs.ts";
import type { Run } from "./runs.ts";

type Zod = Readonly<Record<string, unknown>>;
type Make = () => Readonly<Record<PropertyKey, unknown>>;

let zod: Zod | undefined;
let settings: unknown;

/** All of zod: see zod.ts. */
export function real(): Zod {
  if (zod !== undefined) return zod;
  zod = createRequire(import.meta.url)("./zod.js") as Zod;
  if (settings !== undefined) (zod["config"] as (given: unknown) => void)(settings);
  return zod;
}

/** zod's settings, which it gets when it is there. */
export function config(given?: object): unknown {
  if (zod !== undefined || given === undefined) return (real()["config"] as (given?: object) => unknown)(given);
  return (settings = { ...(settings as object | undefined), ...given });
}

/** Members that nothing here knows are the real schema's. */
const others: object = new Proxy(
  {},
  {
    get(_, key, schema: Light) {
      const made = schema.made();
      const value = made[key];
      return typeof value === "function" ? (value.bind(made) as unknown) : value;
    },
    has: (_, key) => key === "_zod",
  },
);

/** A schema that was declared. */
class Light {
  /** Undefined: only the real schema can tell. */
  readonly run: Run | undefined;
  readonly #make: Make;
  #made: ReturnType<Make> | undefined;

  constructor(make: Make, run?: Run) {
    this.#make = make;
    this.run = run;
  }

  made(): ReturnType<Make> {
    return (this.#made ??= this.#make());
  }

  safeParse(value: unknown, ...rest: unknown[]): unknown {
    const data = this.run === undefined || rest.length > 0 ? runs.MISFIT : this.run(value);
    if (data !== runs.MISFIT) return { success: true, data };
    return (this.made()["safeParse"] as (...args: unknown[]) => unknown)(value, ...rest);
  }

  parse(value: unknown, ...rest: unknown[]): unknown {
    const data = this.run === undefined || rest.length > 0 ? runs.MISFIT : this.run(value);
    return data === runs.MISFIT ? (this.made()["parse"] as (...args: unknown[]) => unknown)(value, ...rest) : data;
  }

  meta(...args: unknown[]): unknown {
    return args.length > 0 ? chained(this, "meta", args) : (this.made()["meta"] as () => unknown)();
  }
}
Object.setPrototypeOf(Light.prototype, others);

type Shape = Readonly<Record<string, Light>>;

/** An object's schema, which others are made from. */
class LightObject extends Light {
  readonly shape: Shape;
  readonly #extra: runs.Extra;

  constructor(make: Make, shape: Shape, extra: runs.Extra) {
    super(make, Object.values(shape).every((s) => s instanceof Light) ? runs.objectOf(shape, extra) : undefined);
    this.shape = shape;
    this.#extra = extra;
  }

  get def(): unknown {
    // Nothing is checked of the object as a whole: that would be another kind of schema.
    return new Proxy(
      {},
      { get: (_, key) => (key === "checks" ? undefined : (this.made()["def"] as Zod)[key as string]) },
    );
  }
  strict(): Light {
    return new LightObject(() => invoke(this.made(), "strict", []), this.shape, "refuse");
  }
  extend(more: Shape): Light {
    return this.#larger("extend", more);
  }
  safeExtend(more: Shape): Light {
    return this.#larger("safeExtend", more);
  }
  #larger(how: string, more: Shape): Light {
    const make: Make = () => invoke(this.made(), how, [madeOf(more)]);
    return new LightObject(make, { ...this.shape, ...more }, this.#extra);
  }
}

type Arguments = readonly unknown[];

/** The schema with which a list of arguments begins. */
const first = (args: Arguments): Run | undefined => (args[0] instanceof Light ? args[0].run : undefined);
const bound = (run: Run | undefined, args: Arguments, fits: (value: never, n: number) => boolean): Run | undefined =>
  run && typeof args[0] === "number" ? runs.and(run, (v) => fits(v, args[0] as number)) : undefined;
const size = (v: unknown): number => (typeof v === "number" ? v : (v as ArrayLike<unknown>).length);

/** What a method adds to a schema's run; absent: only zod knows. */
const METHODS: Readonly<Record<string, (run: Run, args: Arguments) => Run | undefined>> = {
  describe: (run) => run,
  meta: (run) => run,
  optional: (run) => (v) => {
    if (v !== undefined) return run(v);
    const got = run(v);
    // A default below is a matter of what stands between.
    return got === runs.MISFIT ? undefined : got === undefined ? got : runs.MISFIT;
  },
  nullable: (run) => (v) => (v === null ? v : run(v)),
  default:
    (run, [value]) =>
    (v) => {
      const got = v === undefined ? undefined : run(v);
      return got === undefined ? runs.copyOf(value) : got;
    },
  prefault:
    (run, [value]) =>
    (v) =>
      run(v === undefined ? runs.copyOf(value) : v),
  transform:
    (run, [act]) =>
    (v) => {
      const got = run(v);
      return got === runs.MISFIT ? got : runs.call(act as never, got);
    },
  refine: (run, [fits]) => runs.and(run, (v) => (fits as (v: unknown) => unknown)(v) === true),
  regex: (run, [pattern]) =>
    runs.and(run, (v) => {
      (pattern as RegExp).lastIndex = 0;
      return (pattern as RegExp).test(v);
    }),
  int: (run) => runs.and(run, (v) => Number.isSafeInteger(v)),
  min: (run, args) => bound(run, args, (v, n) => size(v) >= n),
  max: (run, args) => bound(run, args, (v, n) => size(v) <= n),
};

/** Methods that give another schema. */
const CHAINED =
  `and array brand catch check exactOptional exclude extract gt gte length loose lt lte multipleOf negative nonempty nonnegative
  nonoptional nonpositive nullish omit or overwrite partial passthrough pick pipe positive readonly register required rest
  startsWith endsWith includes strip strict superRefine toLowerCase toUpperCase trim`.split(/\s+/);

function chained(schema: Light, name: string, args: Arguments): Light {
  const { run } = schema;
  return new Light(() => invoke(schema.made(), name, args.map(madeOf)), run && METHODS[name]?.(run, args));
}

for (const name of [...Object.keys(METHODS), ...CHAINED])
  if (!Object.hasOwn(Light.prototype, name))
    Object.defineProperty(Light.prototype, name, {
      value(this: Light, ...args: unknown[]) {
        return chained(this, name, args);
      },
    });

/** Arguments as zod wants them: real schemas, also inside lists and shapes. */
function madeOf(value: unknown): unknown {
  if (value instanceof Light) return value.made();
  if (Array.isArray(value)) return value.map(madeOf);
  if (!runs.plain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, madeOf(member)]));
}

function invoke(on: Readonly<Record<PropertyKey, unknown>>, name: string, args: Arguments): ReturnType<Make> {
  return (on[name] as (...args: Arguments) => ReturnType<Make>)(...args);
}

const object =
  (name: string, extra: runs.Extra) =>
  (shape: Shape = {}, ...rest: unknown[]): Light => {
    const make: Make = () => invoke(real(), name, [madeOf(shape), ...rest]);
    return rest.length > 0 ? new Light(make) : new LightObject(make, shape, extra);
  };

const isText = (v: unknown): boolean => typeof v === "string";
const every = (list: unknown): Run[] | undefined => {
  const found = (list as readonly Light[]).map((s) => (s instanceof Light ? s.run : undefined));
  return found.includes(undefined) ? undefined : (found as Run[]);
};
const both = (a: Run | undefined, b: Run | undefined, make: (a: Run, b: Run) => Run): Run | undefined =>
  a && b ? make(a, b) : undefined;

/** Kinds of schemas and what their values run through; undefined: only zod knows. */
const KINDS: Readonly<Record<string, (args: Arguments) => Run | undefined>> = {
  string: (args) => (args.length > 0 ? undefined : runs.text),
  boolean: (args) => (args.length > 0 ? undefined : runs.truth),
  number: (args) => (args.length > 0 ? undefined : runs.finite),
  int: (args) => (args.length > 0 ? undefined : runs.integer),
  unknown: () => runs.anything,
  any: () => runs.anything,
  literal: ([value], list = Array.isArray(value) ? value : [value]) =>
    list.every(isText) ? runs.oneOf(list) : undefined,
  enum: ([values]) => (Array.isArray(values) && values.every(isText) ? runs.oneOf(values) : undefined),
  union(args, list = every(args[0])) {
    return args.length > 1 || list === undefined ? undefined : runs.firstOf(list);
  },
  array: (args, of = first(args)) => (args.length > 1 || of === undefined ? undefined : runs.listOf(of)),
  record: ([key, of]) => both(first([key]), first([of]), runs.recordOf),
  preprocess: ([act, schema]) =>
    both(
      (v) => runs.call(act as never, v),
      first([schema]),
      (before, run) => (v) => {
        const got = before(v);
        return got === runs.MISFIT ? got : run(got);
      },
    ),
};

const RARE =
  `null undefined never bigint date symbol nan void int32 uint32 float32 float64 custom lazy tuple intersection optional nullable
  discriminatedUnion map set pipe transform`.split(/\s+/);

/** Makers of schemas, by zod's names. What is missing here has to be asked of {@link real}. */
export const makers: Readonly<Record<string, (...args: never[]) => unknown>> = {
  config: config as (...args: never[]) => unknown,
  object: object("object", "strip"),
  strictObject: object("strictObject", "refuse"),
  looseObject: object("looseObject", "keep"),
  ...Object.fromEntries(
    [...Object.keys(KINDS), ...RARE].map((name) => [
      name,
      (...args: unknown[]) => new Light(() => invoke(real(), name, args.map(madeOf)), KINDS[name]?.(args)),
    ]),
  ),
};
