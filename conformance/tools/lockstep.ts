/**
 * Boots a RISC-V virt machine twice, on the interpreter without optimiser and on compiled code, and stops at the first difference of
 * registers or guest stores. Compares after each block, or, with --insns, after random numbers of instructions: so regions, which run many
 * blocks at once, take part.
 *
 *   node --conditions=@mimus/source conformance/tools/lockstep.ts --kernel FILE [--bios FILE] [--initrd FILE]
 *     [--append TEXT] [--memory MIB] [--hot N] [--until TEXT] [--blocks N | --insns N [--seed N] [--longest N]
 *     [--backend auto|region|wasm] [--region-threshold N] [--stress SEED] [--stores]]
 */
import { readFileSync } from "node:fs";
import { BaseChar } from "@mimus/chardev";
import { assemble, type System, type SystemHost } from "@mimus/system";
import { ENV, Lockstep, type BackEnd, type LockstepSide, type RegionOptions, type TcgOptions } from "@mimus/tcg";
import { commandLine } from "../lib/command-line.ts";
import { SCRATCH } from "../isa/flow-lockstep.ts";
import { Random } from "../isa/random.ts";
import { riscvRegistry } from "./plugins.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: {
    bios: { type: "string" },
    kernel: { type: "string" },
    initrd: { type: "string" },
    append: { type: "string", default: "console=ttyS0" },
    memory: { type: "string", default: "256" },
    blocks: { type: "string", default: "20000000" },
    hot: { type: "string", default: "5" },
    until: { type: "string", default: "" },
    insns: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    longest: { type: "string", default: "5000" },
    backend: { type: "string", default: "auto" },
    "region-threshold": { type: "string" },
    stress: { type: "string" },
    stores: { type: "boolean", default: false },
  },
});
/** By count of instructions, not block by block. */
const counted = o.insns !== "0";

const NS_PER_INSN = 4;

let printed = "";

class Console extends BaseChar {
  readonly #print: boolean;
  constructor(print: boolean) {
    super("console");
    this.#print = print;
  }
  write(bytes: Uint8Array): number {
    if (this.#print) {
      process.stdout.write(bytes);
      printed += Buffer.from(bytes).toString("latin1");
    }
    return bytes.length;
  }
  async close(): Promise<void> {}
}

const read = (path: string | undefined): Uint8Array | undefined =>
  path === undefined ? undefined : new Uint8Array(readFileSync(path));

async function machine(print: boolean, tcg: TcgOptions): Promise<System> {
  const registry = riscvRegistry();
  let seed = 1;
  const host: SystemHost = {
    now: () => 0,
    wallNow: () => 1.7e18,
    yield: async () => {},
    sleepUntil: async () => {},
    random: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
    },
  };
  const files = { bios: read(o.bios), kernel: read(o.kernel), initrd: read(o.initrd) };
  const system = await assemble({
    registry,
    host,
    target: "riscv64",
    machine: "virt",
    ram: Number(o.memory) * 2 ** 20,
    serials: [new Console(print)],
    append: o.append,
    tcg,
    loop: { icount: { nsPerInsn: NS_PER_INSN, skipIdle: true } },
    ...Object.fromEntries(Object.entries(files).filter(([, v]) => v !== undefined)),
  });
  system.machine.clocks.start();
  return system;
}

const threshold = o["region-threshold"];
const region: RegionOptions = {
  ...(threshold === undefined ? {} : { threshold: Number(threshold) }),
  ...(o.stress === undefined ? {} : { stress: Number(o.stress) }),
};
// Traced stores take the slow path; without them, memory is compared now and then.
const common: TcgOptions = { exact: counted, traceStores: !counted || o.stores };
const a = await machine(true, { ...common, backend: "interp", optimise: counted });
const backend = o.backend as BackEnd;
const b = await machine(false, { ...common, backend, hotThreshold: Number(o.hot), batch: 64, region });
const side = (name: string, s: System): LockstepSide => ({ name, machine: s.engine!, vcpu: s.vcpus[0]! }) as never;
const lockstep = new Lockstep(side("interp", a), side(backend, b), SCRATCH);
const random = new Random(Number(o.seed));
const start = performance.now();
let last = start;

/** What differs, and where. */
class Difference extends Error {}

function fail(text: string): never {
  throw new Difference(text);
}

/** RAM of both, byte for byte. */
function compareMemory(): void {
  const [x, y] = [a, b].map((s) =>
    s.machine.memory.blocks
      .filter((m) => m.name.endsWith(".ram"))
      .map((m) => Buffer.from(m.bytes.buffer, m.bytes.byteOffset, m.bytes.length)),
  );
  x!.forEach((bytes, i) => {
    if (bytes.equals(y![i]!)) return;
    let at = 0;
    while (bytes[at] === y![i]![at]) at++;
    fail(`memory differs at byte 0x${at.toString(16)}, before instruction ${a.executed}`);
  });
}

/** Both wait: time passes at once. */
function passIdleTime(): void {
  if (a.engine!.i32[(a.vcpus[0]!.env + ENV.halted) >>> 2] === 0) return;
  for (const s of [a, b]) {
    const left = s.machine.clocks.nextDeadline() - s.machine.clocks.virtual.now();
    if (left > 0 && left < Infinity) s.machine.clocks.virtual.advance(left);
  }
}

const BETWEEN_MEMORY = 20e6;
const more = (): boolean => (counted ? a.executed < Number(o.insns) : lockstep.blocks < Number(o.blocks));

/** Runs both to the end. @throws Difference */
function run(): string {
  let memoryAt = BETWEEN_MEMORY;
  while (more() && (o.until === "" || !printed.includes(o.until))) {
    for (const s of [a, b]) s.machine.clocks.run();
    const difference = counted ? lockstep.advance(nextStep()) : lockstep.run(1);
    if (difference !== undefined) {
      const where = counted ? `after instruction ${difference.executed}, from` : `block ${difference.block} at`;
      const fields = difference.fields.map((f) => `  ${f.name}: ${f.a} / ${f.b}`);
      fail(
        [
          `${where} 0x${difference.pc.toString(16)} ${difference.reasons.join(" / ")}`,
          ...fields,
          difference.disassembly,
        ].join("\n"),
      );
    }
    passIdleTime();
    if (counted && a.executed > memoryAt) {
      memoryAt += BETWEEN_MEMORY;
      compareMemory();
    }
    if (performance.now() - last > 20_000) {
      last = performance.now();
      console.log(`\n[${lockstep.blocks} blocks, ${(a.executed / 1e6).toFixed(1)} M instructions]`);
    }
  }
  if (counted) compareMemory();
  const { compiled, regions, regionInsns } = b.engine!.stats();
  return `no difference in ${counted ? "" : `${lockstep.blocks} blocks, `}${a.executed} instructions; compiled ${compiled} blocks, ${regions} regions of ${regionInsns} instructions; ${((performance.now() - start) / 1000).toFixed(1)} s`;
}

let text: string;
let status = 0;
try {
  text = run();
} catch (e) {
  if (!(e instanceof Difference)) throw e;
  text = e.message;
  status = 1;
}
// What a full pipe did not take at once is still to be written.
process.stdout.write(`\n${text}\n`, () => process.exit(status));

/** Mostly long steps, up to the next event of a timer. */
function nextStep(): number {
  const left = (a.machine.clocks.nextDeadline() - a.machine.clocks.virtual.now()) / NS_PER_INSN;
  const length = 1 + random.below(random.chance(16) ? 16 : Number(o.longest));
  return Math.max(1, Math.min(length, Math.ceil(left)));
}
