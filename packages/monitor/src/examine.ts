import type { MachineControl } from "./control.ts";

const SIZES: Readonly<Record<string, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, g: 8 };

/** `x /COUNT FORMAT SIZE ADDRESS`: dumps guest-physical memory. FORMAT x, d, u, o or c; SIZE b, h, w or g. At most 64 KiB. */
export function examine(machine: MachineControl, args: readonly string[]): string {
  const [format, address] = args[0]?.startsWith("/") ? [args[0].slice(1), args[1]] : ["", args[0]];
  const match = /^(\d*)([xduoc]?)([bhwg]?)$/.exec(format);
  const at = Number(address);
  if (match === null || !Number.isSafeInteger(at) || at < 0)
    throw new Error("usage: x /COUNT[x|d|u|o|c][b|h|w|g] ADDRESS");
  const size = SIZES[match[3] === "" ? "w" : (match[3] ?? "w")] ?? 4;
  const count = match[1] === "" ? 1 : Number(match[1]);
  if (count * size > 65536) throw new Error(`at most ${65536 / size} units at once`);
  const perLine = Math.max(Math.min(16 / size, 8), 1);
  let text = "";
  for (let i = 0; i < count; i++) {
    if (i % perLine === 0) text += `${i === 0 ? "" : "\n"}${(at + i * size).toString(16).padStart(16, "0")}:`;
    text += ` ${unit(machine, at + i * size, size, match[2] ?? "x")}`;
  }
  return `${text}\n`;
}

function unit(machine: MachineControl, at: number, size: 1 | 2 | 4 | 8, format: string): string {
  const raw = new Uint8Array(size);
  if (!machine.memory.readBytes(at, raw)) return "Cannot access memory";
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i] ?? 0);
  switch (format) {
    case "d":
      return BigInt.asIntN(size * 8, value).toString();
    case "u":
      return value.toString();
    case "o":
      return `0${value.toString(8)}`;
    case "c":
      return `'${String.fromCharCode(Number(value & 0x7fn))}'`;
    default:
      return `0x${value.toString(16).padStart(size * 2, "0")}`;
  }
}
