import type { Aml } from "./encode.ts";
import { nameString, op, packaged } from "./encode.ts";
import { value } from "./data.ts";

/** Source of these encodings: ACPI 6.4, 20.2.5.3 "Statement opcodes" and 20.2.5.4 "Expression opcodes". */

/** A value in an expression: code that gives one, an integer, or a text. */
export type Value = Aml | number | string;
/** No target: the result is only returned. */
const NOWHERE: Aml = Uint8Array.of(0);

/** Local variable 0..7. */
export const local = (n: number): Aml => Uint8Array.of(0x60 + n);
/** Argument 0..6 of the method. */
export const arg = (n: number): Aml => Uint8Array.of(0x68 + n);

/** Calls a method. */
export const call = (path: string, ...args: readonly Value[]): Aml => op2(nameString(path), args);
const op2 = (head: Aml, args: readonly Value[]): Aml => {
  const parts = [head, ...args.map(value)];
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** Stores a value. */
export const store = (from: Value, to: Aml): Aml => op(0x70, value(from), to);

const binary =
  (code: number) =>
  (a: Value, b: Value, to: Aml = NOWHERE): Aml =>
    op(code, value(a), value(b), to);
/** `a + b`, also stored in `to`. */
export const add: (a: Value, b: Value, to?: Aml) => Aml = binary(0x72);
/** `a - b`, also stored in `to`. */
export const subtract: (a: Value, b: Value, to?: Aml) => Aml = binary(0x74);
/** `a & b`, also stored in `to`. */
export const and: (a: Value, b: Value, to?: Aml) => Aml = binary(0x7b);
/** `a | b`, also stored in `to`. */
export const or: (a: Value, b: Value, to?: Aml) => Aml = binary(0x7d);
/** `a ^ b`, also stored in `to`. */
export const xor: (a: Value, b: Value, to?: Aml) => Aml = binary(0x7f);
/** `a << b`, also stored in `to`. */
export const shiftLeft: (a: Value, b: Value, to?: Aml) => Aml = binary(0x79);
/** `a >> b`, unsigned, also stored in `to`. */
export const shiftRight: (a: Value, b: Value, to?: Aml) => Aml = binary(0x7a);
/** Adds 1 to a variable or a field. */
export const increment = (v: Aml): Aml => op(0x75, v);

const logical =
  (code: number) =>
  (a: Value, b: Value): Aml =>
    op(code, value(a), value(b));
/** True when both are. */
export const logicalAnd: (a: Value, b: Value) => Aml = logical(0x90);
/** True when one is. */
export const logicalOr: (a: Value, b: Value) => Aml = logical(0x91);
/** True when `a` = `b`. */
export const equal: (a: Value, b: Value) => Aml = logical(0x93);
/** True when `a` > `b`, unsigned. */
export const greater: (a: Value, b: Value) => Aml = logical(0x94);
/** True when `a` < `b`, unsigned. */
export const less: (a: Value, b: Value) => Aml = logical(0x95);
/** True when the value is 0. */
export const not = (v: Value): Aml => op(0x92, value(v));

/** Runs the body when the condition holds. */
export const when = (condition: Aml, ...body: readonly Aml[]): Aml => packaged(0xa0, condition, ...body);
/** What runs when the `when` before it does not. */
export const otherwise = (...body: readonly Aml[]): Aml => packaged(0xa1, ...body);
/** Runs the body while the condition holds. */
export const loop = (condition: Aml, ...body: readonly Aml[]): Aml => packaged(0xa2, condition, ...body);
/** Ends the method with a value. */
export const returns = (v: Value): Aml => op(0xa4, value(v));
/** Tells the operating system that something happened to a device. */
export const notify = (path: string, v: Value): Aml => op(0x86, nameString(path), value(v));
/** Takes a mutex; `timeout` in milliseconds, 0xffff = waits for ever. */
export const acquire = (path: string, timeout = 0xffff): Aml =>
  op(0x5b23, nameString(path), Uint8Array.of(timeout & 0xff, timeout >>> 8));
/** Gives a mutex back. */
export const release = (path: string): Aml => op(0x5b27, nameString(path));
