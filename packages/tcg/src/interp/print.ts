/** Bytecode as text, for people who look at the interpreter tier. */
import { ENV } from "../exec/contract.ts";
import type { EnvField } from "../ir/type.ts";
import type { Handler, Handlers } from "./handlers.ts";

/** One line per instruction of `code`, which is complete: offset in bytes, name of the handler, slots, immediates. */
export function printBytecode(code: Uint16Array, handlers: Handlers, globals: readonly EnvField[]): string {
  const lines: string[] = [];
  for (let at = 0; at < code.length;) {
    const handler = handlers.all[code[at]!];
    if (handler === undefined) return `${lines.join("\n")}\n${offset(at)}?\n`;
    lines.push(offset(at) + instruction(code, at, handler, globals));
    at += handler.size / 2;
  }
  return `${lines.join("\n")}\n`;
}

const offset = (unit: number): string => `${String(unit * 2).padStart(4)}  `;

function instruction(code: Uint16Array, at: number, h: Handler, globals: readonly EnvField[]): string {
  const unit = (byte: number): number => code[at + byte / 2]!;
  const slot = (n: number): string => {
    const field = globals.find((g) => g.offset === n);
    if (field !== undefined) return field.name;
    return n === ENV.temps ? "zero" : n > ENV.temps ? `t${(n - ENV.temps) / 8}` : `env+${n}`;
  };
  const signed = (n: number): number => (n << 16) >> 16;
  const operands = h.args.map((byte, i) => (h.immediate && i === 1 ? `#${signed(unit(byte))}` : slot(unit(byte))));
  const wide = h.imms.map(({ at: byte, bytes }) => {
    const units = Array.from({ length: bytes / 2 }, (_, i) => BigInt(unit(byte + 2 * i)) << BigInt(16 * i));
    return `#0x${units.reduce((sum, u) => sum | u, 0n).toString(16)}`;
  });
  const extra: string[] = [];
  if (h.extra >= 0) for (let byte = h.extra; byte < h.size; byte += 2) extra.push(String(signed(unit(byte))));
  const result = h.dst < 0 ? [] : [slot(unit(h.dst))];
  return `${name(h).padEnd(16)} ${[...result, ...operands, ...wide, ...extra].join(", ")}`.trimEnd();
}

function name(h: Handler): string {
  if (h.helper !== undefined) return `call ${h.helper.name}`;
  if (h.spec === undefined) return `mov.${h.type}`;
  const { spec } = h;
  const parts = [spec.name, ...(spec.hasCond ? [h.cond] : []), ...(spec.types.length > 0 ? [h.type] : [])];
  return [...parts, ...(spec.hasMem ? [h.mem] : [])].join(".");
}
