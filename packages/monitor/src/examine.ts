import type { CpuInfo, MachineControl } from "./control.ts";
import { Expressions, type Registers } from "./expression.ts";
import type { Session } from "./session.ts";

const SIZES: Readonly<Record<string, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, g: 8 };
/** Bytes shown by one command at most, and instructions. */
const MOST = 65536;
const MOST_INSNS = 10_000;
/** Bytes of a line of a listing. */
const LISTED = 8;
const LONGEST_INSN = 16;

/** The processor that the monitor has chosen. @throws Error for a machine without processors */
export function currentCpu(machine: MachineControl, session: Session): CpuInfo {
  const cpus = machine.cpus();
  const cpu = cpus[session.cpu] ?? cpus[0];
  if (cpu === undefined) throw new Error("this machine has no processors");
  return cpu;
}

/** Registers that expressions may name. */
export const registersOf =
  (machine: MachineControl, session: Session): Registers =>
  (name) =>
    currentCpu(machine, session).register?.(name);

/** `/COUNT FORMAT SIZE` in front of an argument; what it does not say is as the last command said. */
function takeFormat(session: Session, args: readonly string[]): { count: number; size: 1 | 2 | 4 | 8; rest: string } {
  const given = args[0]?.startsWith("/") === true ? args[0].slice(1) : undefined;
  const rest = (given === undefined ? args : args.slice(1)).join(" ");
  const match = /^(\d*)([a-z]*)(.*)$/.exec(given ?? "")!;
  for (const letter of match[2] ?? "") {
    const size = SIZES[letter];
    if (size !== undefined) session.size = size;
    else if ("xduoci".includes(letter)) session.format = letter;
    else throw new Error(`invalid char in format: '${letter}'`);
  }
  if ((match[3] ?? "") !== "") throw new Error(`invalid char in format: '${match[3]![0]}'`);
  return { count: (match[1] ?? "") === "" ? 1 : Number(match[1]), size: session.size, rest };
}

/** `x` and `xp`: memory at linear (`virtual`) or physical addresses, as numbers or as instructions. */
export function examine(
  command: "x" | "xp",
  machine: MachineControl,
  args: readonly string[],
  session: Session,
): string {
  const { count, size, rest } = takeFormat(session, args);
  const expressions = new Expressions(rest, registersOf(machine, session));
  const at = BigInt.asUintN(64, expressions.next());
  expressions.end(command);
  const read = reader(command, machine, session);
  if (session.format === "i") return listing(currentCpu(machine, session), at, count, read);
  if (count * size > MOST) throw new Error(`at most ${MOST / size} units at once`);
  return dump(at, count, size, session.format, read);
}

type Read = (address: bigint, into: Uint8Array) => boolean;

function reader(command: "x" | "xp", machine: MachineControl, session: Session): Read {
  const physical: Read = (address, into) => address < 2n ** 52n && machine.memory.readBytes(Number(address), into);
  if (command === "xp") return physical;
  const cpu = currentCpu(machine, session);
  return cpu.read === undefined ? physical : (address, into) => cpu.read!(address, into);
}

const hex = (value: bigint, digits: number): string => BigInt.asUintN(64, value).toString(16).padStart(digits, "0");

function dump(start: bigint, count: number, size: number, format: string, read: Read): string {
  const unit = format === "c" ? 1 : size;
  const perLine = (size === 1 ? 8 : 16) / unit;
  const units = (count * size) / unit;
  let text = "";
  const raw = new Uint8Array(unit);
  for (let i = 0; i < units; i++) {
    const at = start + BigInt(i * unit);
    if (i % perLine === 0) text += `${i === 0 ? "" : "\n"}${hex(at, 16)}:`;
    if (!read(at, raw)) return `${text} Cannot access memory\n`;
    let value = 0n;
    for (let n = unit - 1; n >= 0; n--) value = (value << 8n) | BigInt(raw[n] ?? 0);
    text += ` ${show(value, unit, format)}`;
  }
  return `${text}\n`;
}

/** Decimal digits of the largest number of so many bytes. */
const DECIMAL: Readonly<Record<number, number>> = { 1: 3, 2: 5, 4: 10, 8: 20 };

function show(value: bigint, size: number, format: string): string {
  switch (format) {
    case "d":
      return (size === 8 ? BigInt.asIntN(64, value) : value).toString().padStart(DECIMAL[size]!);
    case "u":
      return value.toString().padStart(DECIMAL[size]!);
    case "o":
      return (value === 0n ? "0" : `0${value.toString(8)}`).padStart(Math.ceil((size * 8) / 3));
    case "c":
      return character(Number(value & 0xffn));
    default:
      return `0x${hex(value, size * 2)}`;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "'": "\\'", "\\": "\\\\" };

function character(code: number): string {
  const char = String.fromCharCode(code);
  const plain = code >= 32 && code < 127;
  return `'${ESCAPES[char] ?? (plain ? char : `\\x${code.toString(16).padStart(2, "0")}`)}'`;
}

function listing(cpu: CpuInfo, start: bigint, count: number, read: Read): string {
  const { disassemble } = cpu;
  if (disassemble === undefined) throw new Error("this processor has no disassembler");
  if (count > MOST_INSNS) throw new Error(`at most ${MOST_INSNS} instructions at once`);
  let text = "";
  let at = start;
  const bytes = new Uint8Array(LONGEST_INSN);
  for (let i = 0; i < count; i++) {
    let there = 0;
    while (there < bytes.length && read(BigInt.asUintN(64, at + BigInt(there)), bytes.subarray(there, there + 1)))
      there++;
    if (there === 0) return `${text}0x${hex(at, 8)}: unable to read memory\n`;
    const { text: insn, length } = disassemble(at, bytes.subarray(0, there));
    const taken = [...bytes.subarray(0, Math.max(1, length))].map((b) => b.toString(16).padStart(2, "0"));
    for (let n = 0; n < taken.length; n += LISTED) {
      const line = `0x${hex(at + BigInt(n), 8)}:  ${taken
        .slice(n, n + LISTED)
        .join(" ")
        .padEnd(3 * LISTED - 1)}`;
      text += `${n === 0 ? `${line}  ${insn}` : line.trimEnd()}\n`;
    }
    at += BigInt(Math.max(1, length));
  }
  return text;
}

/** `print`: the value of an expression. */
export function print(machine: MachineControl, args: readonly string[], session: Session): string {
  const { rest } = takeFormat(session, args);
  const expressions = new Expressions(rest, registersOf(machine, session));
  const value = expressions.next();
  expressions.end("print|p");
  const unsigned = BigInt.asUintN(64, value);
  switch (session.format) {
    case "x":
      return `${unsigned === 0n ? "0" : `0x${unsigned.toString(16)}`}\n`;
    case "o":
      return `${unsigned === 0n ? "0" : `0${unsigned.toString(8)}`}\n`;
    case "u":
      return `${unsigned}\n`;
    case "c":
      return `${character(Number(unsigned & 0xffn))}\n`;
    default:
      return `${value}\n`;
  }
}
