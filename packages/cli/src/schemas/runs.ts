/** What a schema makes of a value that fits; {@link MISFIT} for one that does not. */
export type Run = (value: unknown) => unknown;

/** The value does not fit, or it is left to zod to say whether it does. */
export const MISFIT: unique symbol = Symbol("misfit");

type Shape = Readonly<Record<string, { readonly run: Run | undefined }>>;

/** What happens to keys that are not in the shape of an object. */
export type Extra = "strip" | "refuse" | "keep";

const when =
  (fits: (value: unknown) => boolean): Run =>
  (value) =>
    fits(value) ? value : MISFIT;

export const text: Run = when((v) => typeof v === "string");
export const truth: Run = when((v) => typeof v === "boolean");
export const finite: Run = when((v) => Number.isFinite(v));
export const integer: Run = when((v) => Number.isSafeInteger(v));
export const anything: Run = (value) => value;

export const oneOf = (values: readonly unknown[]): Run => when((v) => values.includes(v));

/** Like `run`, and what it gives has to fit as well. */
export const and =
  (run: Run, fits: (value: never) => boolean): Run =>
  (value) => {
    const got = run(value);
    return got !== MISFIT && fits(got as never) ? got : MISFIT;
  };

/** The first that fits. */
export const firstOf =
  (runs: readonly Run[]): Run =>
  (value) => {
    for (const run of runs) {
      const got = run(value);
      if (got !== MISFIT) return got;
    }
    return MISFIT;
  };

/** A function of the application, which may report what is wrong. */
export function call(act: (value: unknown, ctx: unknown) => unknown, value: unknown): unknown {
  const issues: unknown[] = [];
  const got = act(value, { value, issues, addIssue: (issue: unknown) => issues.push(issue) });
  return issues.length > 0 || got instanceof Promise ? MISFIT : got;
}

/** A copy of a default, so that one parse does not change the next. */
export function copyOf(value: unknown): unknown {
  if (typeof value === "function") return (value as () => unknown)();
  if (Array.isArray(value)) return [...(value as unknown[])];
  return plain(value) ? { ...value } : value;
}

export function plain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** An object of known keys; undefined when one of them has no run. */
export function objectOf(shape: Shape, extra: Extra): Run | undefined {
  const fields: [string, Run][] = [];
  for (const [key, { run }] of Object.entries(shape)) {
    if (run === undefined || key === "__proto__") return undefined;
    fields.push([key, run]);
  }
  return (value) => {
    if (!plain(value)) return MISFIT;
    const out: Record<string, unknown> = {};
    for (const [key, run] of fields) {
      const got = run(Object.hasOwn(value, key) ? value[key] : undefined);
      if (got === MISFIT) return MISFIT;
      if (got !== undefined || Object.hasOwn(value, key)) out[key] = got;
    }
    if (extra === "strip") return out;
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(shape, key)) continue;
      if (extra === "refuse" || key === "__proto__") return MISFIT;
      out[key] = value[key];
    }
    return out;
  };
}

/** Any keys, all with values of one kind. */
export const recordOf =
  (key: Run, of: Run): Run =>
  (value) => {
    if (!plain(value)) return MISFIT;
    const out: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const got = name === "__proto__" || key(name) !== name ? MISFIT : of(member);
      if (got === MISFIT) return MISFIT;
      out[name] = got;
    }
    return out;
  };

export const listOf =
  (of: Run): Run =>
  (value) => {
    if (!Array.isArray(value)) return MISFIT;
    const out: unknown[] = [];
    for (const member of value as unknown[]) {
      const got = of(member);
      if (got === MISFIT) return MISFIT;
      out.push(got);
    }
    return out;
  };
