/** Arguments and results as text, for `-strace`. */
import { errnoName } from "../errno.ts";
import { AT } from "../fs/constants.ts";
import { Layout, type Field, type Fields } from "../layout.ts";
import { signalName } from "../signals/siginfo.ts";
import { MAP_FLAGS, OPEN_FLAGS, PROT_FLAGS, RESOURCES } from "./flag-names.ts";
import { settle, type Kernel } from "./kernel.ts";
import type { DetailedKind, FlagSet, Kind, NameSet } from "./kinds.ts";

/** Characters of text and elements of arrays that are shown. */
const TEXT_MOST = 32;
const ARRAY_MOST = 4;

const hex = (n: number): string => `0x${n.toString(16)}`;
const pointer = (n: number): string => (n === 0 ? "NULL" : hex(n));

/** Bits by name; what has no name is a number at the end. */
export function showFlags({ bits, choice }: FlagSet, value: number): string {
  const names: string[] = [];
  let left = value >>> 0;
  if (choice && choice.mask !== 0) {
    const part = left & choice.mask;
    names.push(choice.names[part] ?? hex(part));
    left = (left & ~choice.mask) >>> 0;
  }
  for (const [bit, name] of bits) {
    if (bit === 0 || (left & bit) >>> 0 !== bit) continue;
    names.push(name);
    left = (left & ~bit) >>> 0;
  }
  if (left !== 0) names.push(hex(left));
  return names.length === 0 ? "0" : names.join("|");
}

const showOne = ({ names }: NameSet, value: number): string =>
  names[value] ?? (value < 0 || value < 1024 ? String(value) : hex(value));

/** Bytes as a C string. */
export function quote(bytes: Uint8Array, more: boolean = false): string {
  let out = '"';
  bytes.forEach((byte, i) => {
    if (byte === 10) out += "\\n";
    else if (byte === 9) out += "\\t";
    else if (byte === 13) out += "\\r";
    else if (byte === 34 || byte === 92) out += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 32 && byte < 127) out += String.fromCharCode(byte);
    else {
      const next = bytes[i + 1];
      const digit = next !== undefined && next >= 48 && next <= 55;
      out += `\\${digit ? byte.toString(8).padStart(3, "0") : byte.toString(8)}`;
    }
  });
  return `${out}"${more ? "..." : ""}`;
}

function showBytes(k: Kernel, address: number, length: number): string {
  if (address === 0) return "NULL";
  const count = Math.min(length, TEXT_MOST);
  const there = k.memory.reachable(address, count, "r");
  if (there < count) return hex(address);
  return quote(k.memory.bytes(address, count, "r"), length > count);
}

function showPath(k: Kernel, address: number): string {
  if (address === 0) return "NULL";
  let text = hex(address);
  settle(() => {
    text = quote(k.memory.stringBytes(address));
    return 0;
  });
  return text;
}

function showField(k: Kernel, field: Field, value: unknown): string {
  if (typeof field === "string") return field === "ptr" ? pointer(Number(value)) : String(value);
  if (field instanceof Layout) return showValues(k, field, value as Readonly<Record<string, unknown>>);
  if ("pad" in field) return "";
  const list = value as readonly unknown[];
  const shown = list.slice(0, ARRAY_MOST).map((item) => showField(k, field.of, item));
  return `[${shown.join(", ")}${list.length > ARRAY_MOST ? ", ..." : ""}]`;
}

function showValues(k: Kernel, layout: Layout<Fields>, values: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(layout.fields)
    .filter(
      ([name, field]) =>
        (typeof field !== "object" || !("pad" in field)) && !/^(pad|spare|unused|reserved)\d?$/.test(name),
    )
    .map(([name, field]) => {
      const value = values[name];
      return `${name}=${name === "mode" ? `0${Number(value).toString(8)}` : showField(k, field, value)}`;
    });
  return `{${rows.join(", ")}}`;
}

function showStruct(k: Kernel, layout: Layout<Fields>, address: number): string {
  if (address === 0) return "NULL";
  let text = hex(address);
  settle(() => {
    text = showValues(k, layout, k.memory.get(layout, address) as Readonly<Record<string, unknown>>);
    return 0;
  });
  return text;
}

function showIovec(k: Kernel, address: number, count: number): string {
  const word = k.abi.wordBits / 8;
  const parts: string[] = [];
  const bad = settle(() => {
    for (let i = 0; i < Math.min(count, ARRAY_MOST); i++) {
      const length = k.memory.word(address + (2 * i + 1) * word);
      parts.push(`{${showBytes(k, k.memory.word(address + 2 * i * word), length)}, ${length}}`);
    }
    return 0;
  });
  return bad < 0 ? pointer(address) : `[${parts.join(", ")}${count > ARRAY_MOST ? ", ..." : ""}]`;
}

function showDetailed(
  k: Kernel,
  kind: DetailedKind,
  value: number,
  all: readonly number[],
  result: number | undefined,
): string {
  if ("flags" in kind) return showFlags(kind.flags, value);
  if ("one" in kind) return showOne(kind.one, value);
  if ("textIn" in kind) return showBytes(k, value, all[kind.textIn] ?? 0);
  if ("textOut" in kind) return result !== undefined && result >= 0 ? showBytes(k, value, result) : pointer(value);
  if ("iovec" in kind) return showIovec(k, value, all[kind.iovec] ?? 0);
  if ("structIn" in kind) return showStruct(k, kind.structIn, value);
  return result !== undefined && result >= 0 ? showStruct(k, kind.structOut, value) : pointer(value);
}

/** One argument. `result` is undefined while the call has none. */
export function showArgument(
  k: Kernel,
  kind: Kind,
  value: number,
  all: readonly number[],
  result: number | undefined,
): string {
  if (typeof kind === "object") return showDetailed(k, kind, value, all, result);
  switch (kind) {
    case "ptr":
    case "buf":
      return pointer(value);
    case "path":
      return showPath(k, value);
    case "atfd":
      return value === AT.FDCWD ? "AT_FDCWD" : String(value);
    case "octal":
      return value === 0 ? "0" : `0${value.toString(8)}`;
    case "hex":
      return value === 0 ? "0" : hex(value);
    case "signal":
      return value === 0 ? "0" : signalName(value);
    case "open-flags":
      return showFlags(OPEN_FLAGS, value);
    case "prot":
      return value === 0 ? "PROT_NONE" : showFlags(PROT_FLAGS, value);
    case "map-flags":
      return showFlags(MAP_FLAGS, value);
    case "resource":
      return showOne(RESOURCES, value);
    default:
      return String(value);
  }
}

/** Names of the numbers that stand for a call that will be made again. */
const RESTARTS: Readonly<Record<number, string>> = {
  512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 516: "ERESTART_RESTARTBLOCK",
}; // prettier-ignore

/** Text after the equals sign. */
export function showResult(name: string, result: number): string {
  if (result < 0 && result > -4096) {
    const restart = RESTARTS[-result];
    return restart === undefined ? `-1 ${errnoName(-result)}` : `? ${restart} (interrupted)`;
  }
  return ADDRESSES.has(name) ? hex(result) : String(result);
}

const ADDRESSES: ReadonlySet<string> = new Set(["mmap", "mmap2", "brk", "mremap"]);
