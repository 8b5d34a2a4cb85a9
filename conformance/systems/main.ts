/**
 * Debian systems in a PC.
 *
 *   pnpm systems build [amd64|i386]           make the disk images (root, mmdebstrap)
 *   pnpm systems boot [amd64|i386] [--bus ide|virtio] [--by kernel|grub] [--off command|button] [--smp N] [--qemu]
 *   pnpm systems stress [amd64|i386] [--bus ide|virtio] [--minutes 20]   stress-ng and fio with verification, memory over time
 *   pnpm systems screens [NAME...] [--qemu]   first screens: installers, iPXE, GRUB, SeaBIOS's menu, a pass of memtest86+
 *
 * --icount N has guest time go by instructions, 2^N ns each, for machines that are busy with other things.
 * --patience N waits N times as long for everything; --log FILE keeps what machines print and show while they run.
 */

import { commandLine } from "../lib/command-line.ts";
import { Console } from "../lib/console.ts";
import type { Choice } from "./boot.ts";
import type { Architecture } from "./recipe.ts";

const { values: o, positionals } = commandLine(import.meta.filename, {
  allowPositionals: true,
  options: {
    bus: { type: "string" },
    by: { type: "string" },
    off: { type: "string" },
    smp: { type: "string", default: "2" },
    minutes: { type: "string", default: "20" },
    qemu: { type: "boolean", default: false },
    patience: { type: "string" },
    log: { type: "string" },
    icount: { type: "string" },
  },
});
if (o.patience !== undefined) process.env["MIMUS_PATIENCE"] = o.patience;
if (o.log !== undefined) process.env["MIMUS_SYSTEMS_LOG"] = o.log;
const icount = o.icount === undefined ? {} : { icount: Number(o.icount) };
// They read the variables when they are loaded.
const { bootCases, bootOnce, CHOICES, nameOf } = await import("./boot.ts");
const { debianSystem } = await import("./debian.ts");
const { stress } = await import("./stress.ts");
const { filesOf, FIRST_SCREENS } = await import("./first-screens.ts");

const [what = "", ...names] = positionals;
const wanted = names[0];
const ARCHITECTURES: readonly Architecture[] = ["amd64", "i386"];
const architectures =
  what === "screens" || wanted === undefined
    ? ARCHITECTURES
    : ARCHITECTURES.filter((a) => a === oneOf("architecture", wanted, ARCHITECTURES));
const log = (line: string): void => void process.stderr.write(`${line}\n`);

/** A wrong call ends the process with one line and status 2. */
function wrong(line: string): never {
  process.stderr.write(`${line}\n-h says how the command is called\n`);
  process.exit(2);
}

/** A value of an option, or a name, that there is. */
function oneOf<T extends string>(what: string, value: string | undefined, all: readonly T[]): T | undefined {
  const known = all.find((it) => it === value);
  if (known === undefined && value !== undefined) wrong(`${what} ${value}: there are ${all.join(", ")}`);
  return known;
}

async function boots(): Promise<void> {
  const choice: Choice = {
    bus: oneOf("--bus", o.bus, CHOICES.bus),
    by: oneOf("--by", o.by, CHOICES.by),
    off: oneOf("--off", o.off, CHOICES.off),
  };
  for (const c of bootCases(architectures, choice)) {
    const result = await bootOnce({ ...c, cpus: Number(o.smp), qemu: o.qemu, ...icount }, log);
    console.log(nameOf(c), result);
    if (result.exit !== 0 || result.fsck !== 0 || result.failedUnits !== "") process.exitCode = 1;
  }
}

async function stressAll(): Promise<void> {
  const bus = oneOf("--bus", o.bus, CHOICES.bus) ?? "ide";
  for (const architecture of architectures) {
    const options = {
      architecture,
      bus,
      cpus: Number(o.smp),
      minutes: Number(o.minutes),
      qemu: o.qemu,
      ...icount,
    } as const;
    const result = await stress(options, log);
    console.log(`Debian for ${architecture} on ${bus}, ${o.minutes} minutes`, result);
    if (result.fsck !== 0 || result.complaints !== "" || result.growth > 1.1) process.exitCode = 1;
  }
}

async function screens(): Promise<void> {
  const all = FIRST_SCREENS.map(({ name }) => name);
  for (const name of names) oneOf("screen", name, all);
  for (const screen of FIRST_SCREENS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const paths = filesOf(screen);
    if (paths === undefined)
      console.log(`${screen.name}: left out, ${screen.files.join(" or ")} is missing: pnpm guests pc`);
    else
      try {
        console.log(`${screen.name}: ${await screen.run(paths, { qemu: o.qemu, ...icount })}`);
      } catch (error) {
        console.log(`${screen.name}: FAILED: ${(error as Error).message}`);
        process.exitCode = 1;
        Console.killAll();
      }
  }
}

if (what === "build") for (const a of architectures) console.log(debianSystem(a, log));
else if (what === "boot") await boots();
else if (what === "stress") await stressAll();
else if (what === "screens") await screens();
else wrong(`there is no command '${what}'; there are: build, boot, stress, screens`);
