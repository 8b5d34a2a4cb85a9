/**
 * Runs a PC beside QEMU, one instruction at a time, and stops at the first difference of registers.
 *
 *   node --conditions=@mimus/source conformance/tools/qemu-compare.ts [--machine pc] [--target x86_64|i386] [--bios FILE] [--kernel FILE]
 *     [--initrd FILE] [--append TEXT] [--memory MIB] [--cpu MODEL] [--insns N] [--qemu "OPTIONS"] [--flags] [--history N] [--stop-at HEX]
 *
 * What depends on time is taken over from QEMU after it: results of IN, RDTSC, RDMSR, CPUID; interrupts are not compared (neither side should
 * take any before its first difference that matters). With --flags, arithmetic flags are compared too (after shifts, multiplications and the like
 * some are undefined).
 */
import { execFileSync, spawn } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { assemble, type SystemHost } from "@mimus/system";
import { OFF, regOffset, segOffset } from "@mimus/target-x86";
import { commandLine } from "../lib/command-line.ts";
import { firmware, pcRegistry } from "./pc-plugins.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: {
    machine: { type: "string", default: "pc" },
    target: { type: "string", default: "x86_64" },
    bios: { type: "string", default: "/usr/share/seabios/bios-256k.bin" },
    kernel: { type: "string" },
    initrd: { type: "string" },
    append: { type: "string" },
    memory: { type: "string", default: "64" },
    cpu: { type: "string" },
    insns: { type: "string", default: "1000000" },
    qemu: { type: "string", default: "" },
    flags: { type: "boolean", default: false },
    history: { type: "string", default: "12" },
    "stop-at": { type: "string" },
  },
});

const host: SystemHost = {
  now: () => 0,
  wallNow: () => Date.now() * 1e6,
  yield: async () => {},
  sleepUntil: async () => {},
  random: (bytes) => void bytes.fill(1),
};
const read = (path: string | undefined): Uint8Array | undefined =>
  path === undefined ? undefined : new Uint8Array(readFileSync(path));
const files = { bios: read(o.bios), kernel: read(o.kernel), initrd: read(o.initrd), append: o.append, cpu: o.cpu };
const system = await assemble({
  registry: pcRegistry(),
  host,
  target: o.target,
  machine: o.machine,
  ram: Number(o.memory) * 2 ** 20,
  firmwareFiles: firmware,
  board: { noDefaults: true, vga: "none" },
  tcg: { backend: "interp", maxInsns: 1, exact: true },
  loop: { icount: { nsPerInsn: 1, skipIdle: true } },
  ...Object.fromEntries(Object.entries(files).filter(([, v]) => v !== undefined)),
});
interface Guest {
  lo(offset: number): number;
  hi(offset: number): number;
  set(offset: number, lo: number, hi: number): void;
  readonly eflags: number;
}
const guest = system.machine.cpus[0]!.cpu as unknown as Guest;
system.machine.clocks.start();

const NAMES = ["AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"];
/** QEMU's names of what is compared, to byte offsets in the state block. */
const PLACES = new Map<string, number>();
for (const [n, name] of NAMES.entries()) {
  PLACES.set(`E${name}`, regOffset(n));
  PLACES.set(`R${name}`, regOffset(n));
}
for (let n = 8; n < 16; n++) PLACES.set(`R${n}`, regOffset(n));
for (const [name, offset] of Object.entries({ CR0: OFF.cr0, CR2: OFF.cr2, CR3: OFF.cr3, CR4: OFF.cr4, EFER: OFF.efer }))
  PLACES.set(name, offset);
const SEGMENTS = ["ES", "CS", "SS", "DS", "FS", "GS"];

type Record_ = Map<string, bigint>;

/** One block of `-d cpu`. */
function parse(lines: readonly string[]): Record_ {
  const out: Record_ = new Map();
  for (const line of lines) {
    const seg = /^(ES|CS|SS|DS|FS|GS) =([0-9a-f]{4}) ([0-9a-f]+)/.exec(line);
    if (seg !== null) {
      out.set(`${seg[1]!}.sel`, BigInt(`0x${seg[2]}`));
      out.set(`${seg[1]!}.base`, BigInt(`0x${seg[3]}`));
      continue;
    }
    for (const m of line.matchAll(/\b([A-Z][A-Z0-9]+) ?=([0-9a-f]+)/g)) out.set(m[1]!, BigInt(`0x${m[2]}`));
  }
  return out;
}

const value = (offset: number): bigint => (BigInt(guest.hi(offset) >>> 0) << 32n) | BigInt(guest.lo(offset) >>> 0);
const ARITHMETIC = 0x8d5n;

function differences(q: Record_): string[] {
  const found: string[] = [];
  const check = (name: string, theirs: bigint | undefined, ours: bigint): void => {
    if (theirs !== undefined && theirs !== ours)
      found.push(`${name}: QEMU ${theirs.toString(16)}, here ${ours.toString(16)}`);
  };
  const wide = q.has("RIP");
  const pc = q.get("RIP") ?? q.get("EIP") ?? 0n;
  const ip =
    value(OFF.pc) - (wide && ((q.get("EFER") ?? 0n) & 0x400n) !== 0n ? 0n : BigInt(guest.lo(segOffset(1) + 16) >>> 0));
  check("IP", pc, BigInt.asUintN(wide ? 64 : 32, ip));
  for (const [name, offset] of PLACES)
    check(name, q.get(name), wide || !name.startsWith("E") ? value(offset) : value(offset) & 0xffffffffn);
  for (const [n, name] of SEGMENTS.entries()) {
    check(`${name}.sel`, q.get(`${name}.sel`), BigInt(guest.lo(segOffset(n)) & 0xffff));
    check(`${name}.base`, q.get(`${name}.base`), value(segOffset(n) + 16));
  }
  const flags = BigInt(guest.eflags >>> 0);
  const mask = o.flags ? 0xffffffffn : 0xffffffffn & ~ARITHMETIC;
  check("EFL", (q.get("EFL") ?? q.get("RFL") ?? 0n) & mask, flags & mask);
  return found;
}

/** Takes general registers over. */
function adopt(q: Record_): void {
  for (const [name, offset] of PLACES) {
    const theirs = q.get(name);
    if (theirs !== undefined && /^[ER]/.test(name) && name !== "EFER")
      guest.set(offset, Number(theirs & 0xffffffffn) | 0, Number(theirs >> 32n) | 0);
  }
}

/** Bytes of the instruction that is about to be executed. */
function code(): Uint8Array {
  const bytes = new Uint8Array(15);
  const at = Number(value(OFF.pc));
  const cr0 = guest.lo(OFF.cr0);
  if (cr0 >= 0) system.machine.system.readBytes(at, bytes);
  else {
    const view = system.vcpus[0] as unknown as { readVirtual?(at: number, into: Uint8Array): boolean };
    view.readVirtual?.(at, bytes);
  }
  return bytes;
}

/** Whether an instruction's result depends on time or on the machine around. */
function timely(bytes: Uint8Array): boolean {
  let i = 0;
  while (
    [0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65].includes(bytes[i]!) ||
    ((bytes[i]! & 0xf0) === 0x40 && false)
  )
    i++;
  const op = bytes[i]!;
  if ([0xe4, 0xe5, 0xec, 0xed, 0x6c, 0x6d].includes(op)) return true;
  return op === 0x0f && [0x31, 0x32, 0xa2].includes(bytes[i + 1]!);
}

/** Whether it is a string instruction with a repeat prefix. */
function isRepeated(bytes: Uint8Array): boolean {
  let rep = false;
  for (const byte of bytes) {
    if (byte === 0xf2 || byte === 0xf3) rep = true;
    else if (![0x66, 0x67, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65].includes(byte) && (byte & 0xf0) !== 0x40)
      return (
        rep && ((byte >= 0x6c && byte <= 0x6f) || (byte >= 0xa4 && byte <= 0xa7) || (byte >= 0xaa && byte <= 0xaf))
      );
  }
  return false;
}

/** Where QEMU is: CS.base + IP. */
function linear(q: Record_): bigint {
  const ip = q.get("RIP");
  if (ip !== undefined && ((q.get("EFER") ?? 0n) & 0x400n) !== 0n) return ip;
  return BigInt.asUintN(32, (ip ?? q.get("EIP") ?? 0n) + (q.get("CS.base") ?? 0n));
}

const folder = mkdtempSync(join(tmpdir(), "mimus-compare-"));
const fifo = join(folder, "trace");
execFileSync("mkfifo", [fifo]);
const qemu = spawn(
  `qemu-system-${o.target}`,
  [
    "-M", o.machine, "-m", o.memory, "-nodefaults", "-display", "none", "-bios", o.bios, "-singlestep", "-d", "cpu,nochain", "-D", fifo,
    "-icount", "shift=0,sleep=off", "-rtc", "base=utc", ...(o.cpu === undefined ? [] : ["-cpu", o.cpu]),
    ...(o.kernel === undefined ? [] : ["-kernel", o.kernel]), ...(o.initrd === undefined ? [] : ["-initrd", o.initrd]),
    ...(o.append === undefined ? [] : ["-append", o.append]), ...o.qemu.split(" ").filter((x) => x !== ""),
  ],
  { stdio: ["ignore", "inherit", "inherit"] },
); // prettier-ignore

async function* records(): AsyncIterable<Record_> {
  let lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(fifo) })) {
    if (/^(EAX|RAX)=/.test(line)) {
      if (lines.length > 0) yield parse(lines);
      lines = [];
    }
    lines.push(line);
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const history: string[] = [];
const limit = Number(o.insns);
let count = 0;
let adopted = 0;
let wasTimely = false;
let exit = 0;
/** Linear address of a repeated string instruction that QEMU shows at each round. */
let repeated: bigint | undefined;
for await (const q of records()) {
  if (repeated !== undefined && linear(q) === repeated) continue;
  repeated = undefined;
  let found = differences(q);
  if (found.length > 0 && wasTimely) {
    adopt(q);
    adopted++;
    found = differences(q);
  }
  const bytes = code();
  const at = `${count}: ${value(OFF.pc).toString(16)} ${hex(bytes)}`;
  if (found.length > 0) {
    console.log(`differs after ${count} instructions (${adopted} results taken over):`);
    console.log(history.join("\n"));
    console.log(`now ${at}`);
    console.log(found.join("\n"));
    exit = 1;
    break;
  }
  history.push(at);
  if (history.length > Number(o.history)) history.shift();
  wasTimely = timely(bytes);
  if (o["stop-at"] !== undefined && value(OFF.pc).toString(16) === o["stop-at"]) break;
  if (++count >= limit) break;
  if (count % 100000 === 0) console.log(at);
  const before = value(OFF.pc);
  const repeats = isRepeated(bytes);
  if (repeats) repeated = before;
  system.vcpus[0]!.run(1);
  if (repeats) while (value(OFF.pc) === before) system.vcpus[0]!.run(1);
}
console.log(`${count} instructions, ${adopted} results taken over`);
qemu.kill("SIGKILL");
rmSync(folder, { recursive: true });
process.exit(exit);
