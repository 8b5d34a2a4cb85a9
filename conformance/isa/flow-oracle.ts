/** Runs an image of random programs under QEMU: bare metal on the virt board, or as a Linux program. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flowBase, isProcess, type FlowImage } from "./flow-image.ts";
import { runOracle } from "./oracle.ts";
import type { FlowMode } from "./flow-source.ts";

const SECONDS = 120;

/** The records after the programs ran. @throws Error when QEMU ends otherwise than by the image's end */
export async function flowOracle(xlen: 32 | 64, mode: FlowMode, image: FlowImage): Promise<Buffer> {
  if (isProcess(mode)) return runOracle(xlen, { image: image.bytes, records: image.records, entry: flowBase(mode) });
  const directory = mkdtempSync(join(tmpdir(), "flow-"));
  try {
    const file = join(directory, "image");
    const out = join(directory, "records");
    writeFileSync(file, image.bytes);
    const cpu = `rv${xlen},zba=true,zbb=true,zbs=true,zbc=true,h=off`;
    const args = ["-M", "virt", "-cpu", cpu, "-m", "64", "-bios", file, "-serial", `file:${out}`];
    const child = spawn(`qemu-system-riscv${xlen}`, [...args, "-monitor", "none", "-display", "none"], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: SECONDS * 1000,
    });
    let errors = "";
    child.stderr.on("data", (d: Buffer) => (errors += d.toString()));
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (c, signal) => resolve(c ?? signal));
    });
    const bytes = readFileSync(out);
    if (code !== 0 || bytes.length !== image.records.length)
      throw new Error(`qemu ended with ${code} after ${bytes.length} of ${image.records.length} bytes ${errors}`);
    return bytes;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
