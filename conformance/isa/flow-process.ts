/** Random control flow as Linux programs: under `mimus riscv64` with several back ends, and under QEMU. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mimusCommand } from "../lib/mimus.ts";
import { executable } from "./elf.ts";
import { recordDifference } from "./flow.ts";
import { flowBase, flowCase, flowImage, FLOW_RECORD, type FlowImage } from "./flow-image.ts";
import { flowOracle } from "./flow-oracle.ts";
import { flowProgram } from "./flow-source.ts";
import { Random } from "./random.ts";

/** Options of {@link runFlowProcesses}. */
export interface FlowProcesses {
  readonly mode: "user" | "signals";
  readonly programs: number;
  readonly seed: number;
  /** Values of `-accel`. */
  readonly accels: readonly string[];
  readonly blocks?: number;
  readonly fuel?: number;
}

/** The records that a program writes. @throws Error when it ends otherwise */
function runProcess(image: FlowImage, mode: "user" | "signals", accel: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "flow-"));
  try {
    const file = join(directory, "program");
    writeFileSync(file, executable(64, flowBase(mode), image.bytes), { mode: 0o755 });
    const { command, args } = mimusCommand();
    const run = spawnSync(command, [...args, "riscv64", "-accel", accel, file], {
      maxBuffer: 64 << 20,
      timeout: 120_000,
    });
    if (run.status !== 0 || run.stdout.length !== image.records.length)
      throw new Error(`ended with ${run.status ?? run.signal} after ${run.stdout.length} bytes: ${run.stderr}`);
    return run.stdout;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Runs programs in one image. @returns the differences from QEMU, as text, and how many signals there were */
export async function runFlowProcesses(o: FlowProcesses): Promise<{ differences: string[]; signals: number }> {
  const random = new Random(o.seed);
  const options = { ...o, xlen: 64 } as const;
  const cases = Array.from({ length: o.programs }, () => flowCase(random, flowProgram(random, options)));
  const image = flowImage(64, o.mode, cases);
  const expected = await flowOracle(64, o.mode, image);
  const differences: string[] = [];
  for (const accel of o.accels) {
    let ours: Buffer;
    try {
      ours = runProcess(image, o.mode, accel);
    } catch (error) {
      differences.push(`${accel}: ${String(error)}`);
      continue;
    }
    cases.forEach((_, i) => {
      const fields = recordDifference(expected, ours, i * FLOW_RECORD.size);
      if (fields.length > 0) differences.push(`${accel}, program ${i}: ${fields.join("; ")}`);
    });
  }
  const signals = cases.reduce((n, _, i) => n + expected.readUInt32LE(i * FLOW_RECORD.size + FLOW_RECORD.count), 0);
  return { differences, signals };
}
