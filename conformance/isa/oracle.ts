/** Runs a program under qemu-user. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "./elf.ts";
import { IMAGE, type Program } from "./program.ts";

const command = (xlen: 32 | 64): string => `qemu-riscv${xlen}-static`;
const CPU = (xlen: 32 | 64): string => `rv${xlen},zba=true,zbb=true,zbs=true,zbc=true`;

/** Version line of the oracle, or undefined when it is not installed. */
export function oracleVersion(xlen: 32 | 64): string | undefined {
  const run = spawnSync(command(xlen), ["--version"], { encoding: "utf8" });
  return run.status === 0 ? run.stdout.split("\n")[0] : undefined;
}

/** The records after the program ran under qemu. */
export async function runOracle(xlen: 32 | 64, program: Program): Promise<Buffer> {
  const directory = mkdtempSync(join(tmpdir(), "isa-"));
  try {
    const file = join(directory, "batch");
    writeFileSync(file, executable(xlen, IMAGE, program.image), { mode: 0o755 });
    const child = spawn(command(xlen), ["-cpu", CPU(xlen), file], { stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    let errors = "";
    child.stdout.on("data", (d: Buffer) => out.push(d));
    child.stderr.on("data", (d: Buffer) => (errors += d.toString()));
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (c, signal) => resolve(c ?? signal));
    });
    const bytes = Buffer.concat(out);
    if (code !== 0 || bytes.length !== program.records.length)
      throw new Error(`qemu ended with ${code} after ${bytes.length} of ${program.records.length} bytes ${errors}`);
    return bytes;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
