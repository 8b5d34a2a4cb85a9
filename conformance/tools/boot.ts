/**
 * Boots a RISC-V virt machine with its console on the terminal, without the command line program.
 *
 *   node --conditions=@mimus/source conformance/tools/boot.ts --bios FILE --kernel FILE --initrd FILE --append TEXT
 *     [--memory MIB] [--smp N] [--cpu MODEL] [--target riscv64|riscv32] [--seconds N] [--until TEXT] [--backend interp|wasm|auto] [--stats] [--dump FILE]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { BaseChar } from "@mimus/chardev";
import { assemble } from "@mimus/system";
import { commandLine } from "../lib/command-line.ts";
import { nodeHost } from "./host.ts";
import { riscvRegistry } from "./plugins.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: {
    bios: { type: "string" },
    kernel: { type: "string" },
    initrd: { type: "string" },
    append: { type: "string" },
    memory: { type: "string", default: "128" },
    smp: { type: "string", default: "1" },
    cpu: { type: "string" },
    target: { type: "string", default: "riscv64" },
    seconds: { type: "string", default: "0" },
    until: { type: "string" },
    backend: { type: "string", default: "auto" },
    stats: { type: "boolean", default: false },
    dump: { type: "string" },
  },
});

/** The console: output to stdout, input from stdin. */
class Console extends BaseChar {
  #tail = "";
  constructor() {
    super("console");
    process.stdin.on("data", (bytes: Buffer) => this.input(new Uint8Array(bytes)));
    process.stdin.unref?.();
  }
  write(bytes: Uint8Array): number {
    process.stdout.write(bytes);
    if (o.until !== undefined) {
      this.#tail = (this.#tail + Buffer.from(bytes).toString("latin1")).slice(-o.until.length - 100);
      if (this.#tail.includes(o.until)) setImmediate(() => system.shutdown(0));
    }
    return bytes.length;
  }
  async close(): Promise<void> {}
}

const file = (path: string | undefined): Uint8Array | undefined =>
  path === undefined ? undefined : new Uint8Array(readFileSync(path));
const bios = file(o.bios);
const kernel = file(o.kernel);
const initrd = file(o.initrd);

const system = await assemble({
  registry: riscvRegistry(),
  host: nodeHost((r) => process.stderr.write(`${r.level} ${r.source}: ${r.message}\n`)),
  target: o.target,
  machine: "virt",
  ram: Number(o.memory) * 2 ** 20,
  smp: Number(o.smp),
  serials: [new Console()],
  tcg: { backend: o.backend as "auto", now: () => performance.now() },
  ...(o.cpu === undefined ? {} : { cpu: o.cpu }),
  ...(bios === undefined ? {} : { bios }),
  ...(kernel === undefined ? {} : { kernel }),
  ...(initrd === undefined ? {} : { initrd }),
  ...(o.append === undefined ? {} : { append: o.append }),
});
const start = performance.now();
system.start();
if (o.seconds !== "0") setTimeout(() => system.shutdown(124), Number(o.seconds) * 1000).unref();
const exit = await system.exit;
if (exit.error !== undefined) console.error(exit.error);
const seconds = (performance.now() - start) / 1000;
console.error(
  `\n[${exit.reason} ${exit.code} after ${seconds.toFixed(1)} s, ${(system.executed / 1e6).toFixed(1)} M instructions]`,
);
if (o.stats) {
  console.error(`pc ${system.vcpus.map((v) => v.pc.toString(16)).join(" ")}`);
  console.error(system.engine?.stats());
}
if (o.dump !== undefined) {
  const ram = system.machine.memory.blocks.find((b) => b.name === "riscv_virt_board.ram");
  if (ram !== undefined) writeFileSync(o.dump, ram.bytes);
}
process.exit(exit.code);
