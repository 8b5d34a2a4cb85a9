/**
 * Boots a RISC-V virt machine twice, block by block, on the interpreter without optimiser and on compiled code, and
 * stops at the first difference of registers or guest stores.
 *
 *   node --conditions=@mimus/source conformance/tools/lockstep.ts --kernel FILE [--bios FILE] [--initrd FILE]
 *     [--append TEXT] [--memory MIB] [--blocks N] [--hot N] [--until TEXT]
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { BaseChar } from "@mimus/chardev";
import { assemble, type System, type SystemHost } from "@mimus/system";
import { Lockstep, type TcgOptions } from "@mimus/tcg";
import { riscvRegistry } from "./plugins.ts";

const { values: o } = parseArgs({
  options: {
    bios: { type: "string" },
    kernel: { type: "string" },
    initrd: { type: "string" },
    append: { type: "string", default: "console=ttyS0" },
    memory: { type: "string", default: "256" },
    blocks: { type: "string", default: "20000000" },
    hot: { type: "string", default: "5" },
    until: { type: "string", default: "" },
  },
});

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
    tcg: { traceStores: true, ...tcg },
    loop: { icount: { nsPerInsn: NS_PER_INSN, skipIdle: true } },
    ...Object.fromEntries(Object.entries(files).filter(([, v]) => v !== undefined)),
  });
  system.machine.clocks.start();
  return system;
}

const a = await machine(true, { backend: "interp", optimise: false });
const b = await machine(false, { backend: "auto", hotThreshold: Number(o.hot), batch: 64 });
const side = (
  name: string,
  s: System,
): { name: string; machine: NonNullable<System["engine"]>; vcpu: System["vcpus"][0] } =>
  ({ name, machine: s.engine!, vcpu: s.vcpus[0]! }) as never;
const lockstep = new Lockstep(side("interp", a), side("auto", b));
const start = performance.now();
let last = start;
const done = (): boolean => o.until !== "" && printed.includes(o.until);
while (lockstep.blocks < Number(o.blocks) && !done()) {
  for (const s of [a, b]) s.machine.clocks.run();
  const before = lockstep.blocks;
  const difference = lockstep.run(1);
  if (difference !== undefined) {
    console.log(`\nblock ${difference.block} at 0x${difference.pc.toString(16)} ${difference.reasons.join(" / ")}`);
    for (const f of difference.fields) console.log(`  ${f.name}: ${f.a} / ${f.b}`);
    console.log(difference.disassembly);
    process.exit(1);
  }
  if (lockstep.blocks === before || a.machine.clocks.nextDeadline() === Infinity) continue;
  // Both wait: time passes at once.
  const e = a.engine!;
  const halted = e.i32[(a.vcpus[0]!.env + 24) >>> 2] !== 0;
  if (halted) {
    for (const s of [a, b]) {
      const left = s.machine.clocks.nextDeadline() - s.machine.clocks.virtual.now();
      if (left > 0 && left < Infinity) s.machine.clocks.virtual.advance(left);
    }
  }
  if (performance.now() - last > 20_000) {
    last = performance.now();
    console.log(`\n[${lockstep.blocks} blocks, ${(a.executed / 1e6).toFixed(1)} M instructions]`);
  }
}
console.log(
  `\nno difference in ${lockstep.blocks} blocks, ${a.executed} instructions; compiled ${b.engine!.stats().compiled}`,
);
process.exit(0);
