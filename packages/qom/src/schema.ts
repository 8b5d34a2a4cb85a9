import type { z } from "zod";
import { complaint } from "./complaint.ts";
import { didYouMean } from "./nearest.ts";
import { parseNumber, parseOnOff } from "./props.ts";
import { QomError } from "./errors.ts";
import type { ResolvedType } from "./type.ts";

/** A property's schema taken apart: the value's own schema, and what was wrapped around it. */
export interface Unwrapped {
  readonly base: z.ZodType;
  readonly optional: boolean;
  readonly default?: unknown;
  readonly meta: Readonly<Record<string, unknown>>;
}

interface Wrapped {
  readonly def: {
    readonly type: string;
    readonly innerType?: z.ZodType;
    readonly in?: z.ZodType;
    readonly defaultValue?: unknown;
  };
}

/** Takes `optional`, `default`, `nullable`, pipes and the like off `schema`; outer metadata wins over inner. */
export function unwrap(schema: z.ZodType): Unwrapped {
  let base = schema;
  let optional = false;
  let meta: Record<string, unknown> = {};
  const found: { default?: unknown } = {};
  for (;;) {
    meta = { ...(base.meta() as Record<string, unknown> | undefined), ...meta };
    const { def } = base as unknown as Wrapped;
    if (def.type === "optional" || def.type === "exact_optional") optional = true;
    else if (def.type === "default" || def.type === "prefault") {
      optional = true;
      if (!("default" in found)) found.default = def.defaultValue;
    } else if (def.type === "pipe" && def.in !== undefined) {
      base = def.in;
      continue;
    }
    if (def.innerType === undefined) return { base, optional, meta, ...found };
    base = def.innerType;
  }
}

/** `value` as `schema` wants it when it is option text: numbers, on/off, and the same inside objects. Else unchanged. */
export function coerce(schema: z.ZodType, value: unknown): unknown {
  const { base } = unwrap(schema);
  const { def } = base as unknown as Wrapped;
  if (typeof value === "string") {
    if (def.type === "number") return parseNumber(value) ?? (/^[+-]?\d+\.\d+$/.test(value) ? Number(value) : value);
    if (def.type === "boolean") return parseOnOff(value) ?? value;
    if (def.type === "bigint") return /^(0[xX][0-9a-fA-F]+|\d+)$/.test(value) ? BigInt(value) : value;
  } else if (def.type === "object" && typeof value === "object" && value !== null && !Array.isArray(value)) {
    return coerceAll(base as z.ZodObject, value as Record<string, unknown>);
  }
  return value;
}

function coerceAll(schema: z.ZodObject, raw: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape as never;
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(raw)) {
    const property = Object.hasOwn(shape, name) ? shape[name] : undefined;
    out[name] = property === undefined ? value : coerce(property, value);
  }
  return out;
}

function show(value: unknown): string {
  if (typeof value === "string") return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return String(value);
}

/** One sentence of all that is wrong in `error`, for the owner `what` whose property names are `names`. */
export function explain(what: string, error: z.ZodError, raw: unknown, names: Iterable<string>): string {
  const known = [...names];
  const parts: string[] = [];
  for (const issue of error.issues) {
    if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
      for (const key of issue.keys) parts.push(`${what} has no property '${key}'${didYouMean(key, known)}`);
      continue;
    }
    let value = raw;
    for (const step of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
    const message = complaint(issue);
    const path = issue.path.map(String).join(".");
    if (path === "") parts.push(`${what}: ${message}`);
    else if (value === undefined) parts.push(`${what} needs property '${path}'`);
    else parts.push(`${what}: property '${path}' is ${show(value)}; ${message}`);
  }
  return parts.join("; ");
}

/**
 * The properties of `type` from option text or JSON: coerced, validated, defaults filled in.
 * @throws QomError unknown-property, bad-property
 */
export function parseProps(
  type: ResolvedType,
  raw: Readonly<Record<string, unknown>>,
  what: string = type.name,
): Record<string, unknown> {
  const coerced = coerceAll(type.props, raw);
  const result = type.props.safeParse(coerced);
  if (result.success) return result.data as Record<string, unknown>;
  const unknown = result.error.issues.every((issue) => issue.code === "unrecognized_keys");
  throw new QomError(
    unknown ? "unknown-property" : "bad-property",
    explain(what, result.error, coerced, Object.keys(type.props.shape)),
    { at: what, cause: result.error },
  );
}
