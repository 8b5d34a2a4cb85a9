/**
 * Debian systems in a PC.
 *
 *   pnpm systems build [amd64|i386]           make the disk images (root, mmdebstrap)
 *   pnpm systems boot [amd64|i386] [--bus ide|virtio] [--by kernel|grub] [--off command|button] [--smp N] [--qemu]
 */
import { parseArgs } from "node:util";

import { type BootCase, bootOnce, BOOTS, nameOf } from "./boot.ts";
import { type Architecture, debianSystem } from "./debian.ts";

const { values: o, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bus: { type: "string" },
    by: { type: "string" },
    off: { type: "string" },
    smp: { type: "string", default: "2" },
    qemu: { type: "boolean", default: false },
  },
});
const [what = "", wanted] = positionals;
const architectures = (wanted === undefined ? ["amd64", "i386"] : [wanted]) as Architecture[];
const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function boots(): Promise<void> {
  const matches = (c: BootCase): boolean =>
    architectures.includes(c.architecture) &&
    (o.bus ?? c.bus) === c.bus &&
    (o.by ?? c.by) === c.by &&
    (o.off ?? c.off) === c.off;
  for (const c of BOOTS.filter(matches)) {
    const result = await bootOnce({ ...c, cpus: Number(o.smp), qemu: o.qemu }, log);
    console.log(nameOf(c), result);
    if (result.exit !== 0 || result.fsck !== 0 || result.failedUnits !== "") process.exitCode = 1;
  }
}

if (what === "build") for (const a of architectures) console.log(debianSystem(a, log));
else if (what === "boot") await boots();
else throw new Error(`there is no command '${what}'; there are: build, boot`);
