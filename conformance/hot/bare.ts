/** Bare-metal programs on the virt board: in this process on any back end, and under QEMU. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BaseChar } from "@mimus/chardev";
import { assemble as assembleSystem } from "@mimus/system";
import { assemble } from "@mimus/target-riscv";
import type { TcgOptions, TcgStats } from "@mimus/tcg";
import { nodeHost } from "../tools/host.ts";
import { riscvRegistry } from "../tools/plugins.ts";

/** What every program begins and ends with: it prints numbers, and ends with the status in a0. */
const COMMON = `
.macro PRINT register
  mv a0, \\register
  call print
.endm
  j main
# Prints a0 in hexadecimal and a line end. Keeps s0 to s11.
print:
  li t0, 0x10000000
  li t1, 60
1: srl t2, a0, t1
  andi t2, t2, 15
  li t3, 10
  blt t2, t3, 2f
  addi t2, t2, 39
2: addi t2, t2, 48
  sb t2, (t0)
  addi t1, t1, -4
  bgez t1, 1b
  li t2, 10
  sb t2, (t0)
  ret
# Ends the machine: with status a0, which is not 0; with status 0.
fail:
  slli a0, a0, 16
  li t0, 0x3333
  or a0, a0, t0
  li t0, 0x100000
  sw a0, 0(t0)
  j .
done:
  li a0, 0x5555
  li t0, 0x100000
  sw a0, 0(t0)
  j .
.balign 4
`;

/** How a program ended. */
export interface Ended {
  readonly output: string;
  readonly status: number;
}

const MEMORY_MIB = 32;

/** Machine code of a program for address 0x80000000. */
export function program(source: string): Uint8Array {
  return assemble(COMMON + source, { xlen: 64, origin: 0x8000_0000n }).bytes;
}

class Console extends BaseChar {
  text = "";
  constructor() {
    super("console");
  }
  write(bytes: Uint8Array): number {
    this.text += Buffer.from(bytes).toString("latin1");
    return bytes.length;
  }
  async close(): Promise<void> {}
}

/** Settings of {@link runOurs}. */
export interface OurOptions {
  readonly tcg: TcgOptions;
  /** Guest time is counted in instructions, and idle time passes at once. */
  readonly icount?: boolean;
  readonly seconds?: number;
  /** Harts; default 1. All begin at the start. */
  readonly harts?: number;
}

/** Runs a program here. */
export async function runOurs(
  image: Uint8Array,
  o: OurOptions,
): Promise<Ended & { executed: number; stats: TcgStats }> {
  const console = new Console();
  const { icount } = o;
  const system = await assembleSystem({
    registry: riscvRegistry(),
    host: nodeHost(),
    target: "riscv64",
    machine: "virt",
    ram: MEMORY_MIB << 20,
    smp: o.harts ?? 1,
    serials: [console],
    bios: image,
    tcg: { ...o.tcg, ...(icount === true ? { exact: true } : {}) },
    ...(icount === true ? { loop: { icount: { nsPerInsn: 10, skipIdle: true } } } : {}),
  });
  const timer = setTimeout(() => system.shutdown(124), (o.seconds ?? 60) * 1000);
  system.start();
  const exit = await system.exit;
  clearTimeout(timer);
  if (exit.error !== undefined) throw exit.error;
  const { executed, engine } = system;
  return { output: console.text, status: exit.code, executed, stats: engine!.stats() };
}

/** Runs a program under QEMU. */
export function runQemu(image: Uint8Array, harts = 1): Ended {
  const directory = mkdtempSync(join(tmpdir(), "hot-"));
  // With a thread for each hart, QEMU 7.2 sometimes goes on with code that another one overwrote.
  const threads = ["-accel", "tcg,thread=single"];
  try {
    const file = join(directory, "image");
    writeFileSync(file, image);
    const board = ["-M", "virt", "-cpu", "rv64,h=off", "-m", `${MEMORY_MIB}`, "-smp", `${harts}`, ...threads];
    const args = [...board, "-bios", file, "-display", "none"];
    const run = spawnSync("qemu-system-riscv64", [...args, "-monitor", "none", "-serial", "stdio"], {
      encoding: "utf8",
      timeout: 60_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { output: run.stdout.replaceAll("\r", ""), status: run.status ?? 128 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
