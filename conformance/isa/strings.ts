/** Runs random code strings on each back end and compares how they end. */
import { EXCEPTION_NAMES } from "@mimus/target-riscv";
import { encode } from "@mimus/decodetree";
import { isaParts } from "@mimus/target-riscv";
import type { FlowSide } from "./flow-machine.ts";
import { flowSide } from "./flow-sides.ts";
import { BareMachine } from "./machine.ts";
import { float, integer, Random } from "./random.ts";

/** Options of {@link runStrings}. */
export interface StringOptions {
  readonly xlen: 32 | 64;
  readonly mode: "M" | "S" | "U";
  readonly strings: number;
  readonly backends: readonly string[];
  readonly seed: number;
}

/** How the strings ended, by exception name; and what must not happen. */
export interface StringResult {
  readonly strings: number;
  readonly ends: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

const BASE = 0x8000_0000;
const SIZE = 0x10000;
/** Where pointers point: a page, with room around it. */
const DATA = 0x2000;
const DATA_SIZE = 0x1000;
const HANDLER = SIZE - 0x1000;
const ROOT = 0x8000;
/** Bytes of one string, and instructions it may execute before it is stopped. */
const LENGTH = 64;
const BUDGET = 500;
const MODES = { M: 3, S: 1, U: 0 } as const;

/** Run the strings. Instructions from the tables and plain random bits take turns. */
export function runStrings(o: StringOptions): StringResult {
  const machines = o.backends.map((backend) => ({
    backend,
    machine: bareMachine(o.xlen, flowSide(backend, o.seed)),
  }));
  const random = new Random(o.seed * 8 + MODES[o.mode] + o.xlen);
  const entries = isaParts(o.xlen).flatMap((p) => p.entries);
  const ends: Map<string, number> = new Map();
  const failures: string[] = [];
  for (let i = 0; i < o.strings; i++) {
    const code = randomCode(random, entries);
    const registers = Array.from({ length: 64 }, (_, n) => (n < 32 ? pointerOr(random, o.xlen) : float(random)));
    const paged = o.mode !== "M" && random.chance(2);
    let first: string | undefined;
    for (const { backend, machine } of machines) {
      let end: string;
      try {
        end = runOne(machine, code, registers, MODES[o.mode], paged);
      } catch (error) {
        failures.push(
          `${backend}: string ${i} ${toHex(code)}: ${error instanceof Error ? error.stack : String(error)}`,
        );
        continue;
      }
      if (first === undefined) {
        first = end;
        const name = end.split(" at ")[0] ?? end;
        ends.set(name, (ends.get(name) ?? 0) + 1);
      } else if (first !== end) failures.push(`string ${i} ${toHex(code)}: ${first} and on ${backend} ${end}`);
    }
  }
  return { strings: o.strings, ends, failures };
}

const bareMachine = (xlen: 32 | 64, { backend, tcg = {} }: FlowSide): BareMachine =>
  new BareMachine({ xlen, backend, base: BASE, size: SIZE, tcg });

function randomCode(r: Random, entries: ReturnType<typeof isaParts>[number]["entries"]): Uint8Array {
  const code = new Uint8Array(LENGTH);
  const view = new DataView(code.buffer);
  let at = 0;
  while (at + 4 <= LENGTH) {
    if (r.chance(8)) {
      view.setUint32(at, r.u32(), true);
      at += 4;
      continue;
    }
    const entry = r.pick(entries);
    const values: Record<string, number> = {};
    for (const [name, field] of entry.fields) {
      let v = field.extract(r.u32());
      while (!field.accepts(v)) v = field.extract(r.u32());
      values[name] = v;
    }
    const word = encode(entry, values);
    if (entry.width === 16) view.setUint16(at, word, true);
    else view.setUint32(at, word, true);
    at += entry.width / 8;
  }
  return code;
}

/** Half of the registers point into RAM. */
function pointerOr(r: Random, xlen: 32 | 64): readonly [number, number] {
  if (!r.chance(2)) return integer(r);
  const address = (BASE + DATA + (r.below(DATA_SIZE) & (r.chance(8) ? -1 : -8))) | 0;
  return [address, xlen === 64 ? 0 : address >> 31];
}

/** One large page maps RAM to itself, for the mode that runs. */
function mapIdentity({ hart, ram }: BareMachine, priv: number): void {
  const view = new DataView(ram.buffer, ram.byteOffset);
  const entry = ((BASE >>> 12) << 10) | 0xcf | (priv === 0 ? 0x10 : 0);
  // Sv39: entry 2 of the root is 1 GiB; Sv32: entry 0x200 is 4 MiB.
  view.setUint32(ROOT + (hart.rv64 ? 8 * 2 : 4 * 0x200), entry >>> 0, true);
  const ppn = BigInt((BASE + ROOT) >>> 12);
  hart.csrs.write(0x180, hart.rv64 ? (8n << 60n) | ppn : (1n << 31n) | ppn);
  hart.stateReplaced();
}

/** Run one string; how it ended, with the hart's state. */
function runOne(
  m: BareMachine,
  code: Uint8Array,
  registers: readonly (readonly [number, number])[],
  priv: number,
  paged: boolean,
): string {
  const { hart, vcpu } = m;
  m.ram.fill(0, 0, DATA + 2 * DATA_SIZE);
  m.load(code);
  new DataView(m.ram.buffer, m.ram.byteOffset).setUint32(HANDLER, 0x10500073, true);
  m.start(BASE, BASE + HANDLER, priv);
  if (paged) mapIdentity(m, priv);
  registers.forEach(([lo, hi], n) => {
    if (n > 0) hart.set(n < 32 ? 128 + 8 * n : 392 + 8 * (n - 32), lo, hi);
  });
  const reason = vcpu.run(BUDGET);
  const pc = hart.bits64(384);
  const atHandler = pc >= BigInt(BASE + HANDLER) && pc <= BigInt(BASE + HANDLER + 4);
  const cause = hart.csrs.read(0x342);
  const name = atHandler
    ? (EXCEPTION_NAMES[Number(cause)] ?? `cause ${cause}`)
    : reason === "halted"
      ? "waiting"
      : "running";
  let sum = 0;
  const words = hart.i32;
  for (let w = (hart.env + 128) >> 2; w < (hart.env + 672) >> 2; w++) sum = (Math.imul(sum, 31) + (words[w] ?? 0)) | 0;
  const ram = new Int32Array(m.ram.buffer, m.ram.byteOffset, (DATA + 2 * DATA_SIZE) / 4);
  for (let w = 0; w < ram.length; w++) sum = (Math.imul(sum, 31) + (ram[w] ?? 0)) | 0;
  return atHandler
    ? `${name} at ${hart.csrs.read(0x341).toString(16)} state ${sum}`
    : `${name} at ${pc.toString(16)} state ${sum}`;
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
