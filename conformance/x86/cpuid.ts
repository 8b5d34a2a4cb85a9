/**
 * CPUID of every model beside QEMU's: a program in place of the BIOS prints all leaves, under qemu-system and here.
 * node --conditions=@mimus/source conformance/x86/cpuid.ts [--only REGEXP] [--whole] [--smp ARRANGEMENT]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuProps, findModel, x86Config } from "@mimus/target-x86";
import { commandLine } from "../lib/command-line.ts";
import { mimusCommand, oracle } from "../lib/mimus.ts";

/**
 * In real mode at F000:0: for each pair of words at 100h, up to FFFFFFFFh, CPUID; EAX, EBX, ECX and EDX go to port E9h byte by byte; then
 * port F4h ends the machine.
 */
const PROGRAM = Buffer.from(
  "fa8cc88ed831c08ed0bc0080be0001668b04668b4c046683f8ff74210fa2665266516653665089e5b91000bae9008a4600ee45e2f983c41083c608ebd2b000e6f4f4ebf9",
  "hex",
);
const RESET = Buffer.from("ea000000f0", "hex");

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n);
/** Leaves that have subleaves, and how many of them are looked at. */
const SUBLEAVES: Readonly<Record<number, number>> = { 4: 5, 7: 3, 0xb: 4, 0xd: 20, 0xf: 2, 0x10: 2, 0x12: 3, 0x14: 2, 0x1f: 3, 0x8000001d: 6 }; // prettier-ignore
const LEAVES: readonly (readonly [leaf: number, subleaf: number])[] = [
  ...range(0, 0x20),
  0x40000000, 0x40000001, 0x40000100,
  ...range(0x80000000, 0x80000022),
  0xc0000000, 0xc0000001, 0xffffffff - 1,
].flatMap((leaf) => range(0, (SUBLEAVES[leaf] ?? 1) - 1).map((subleaf) => [leaf, subleaf] as const)); // prettier-ignore

function image(): Uint8Array {
  const bytes = Buffer.alloc(65536, 0xf4);
  PROGRAM.copy(bytes, 0);
  RESET.copy(bytes, 0xfff0);
  let at = 0x100;
  for (const [leaf, subleaf] of [...LEAVES, [0xffffffff, 0] as const]) {
    bytes.writeUInt32LE(leaf, at);
    bytes.writeUInt32LE(subleaf, at + 4);
    at += 8;
  }
  return bytes;
}

interface Shown {
  readonly rows: readonly string[];
  readonly warnings: readonly string[];
}

const hex = (value: number): string => (value >>> 0).toString(16);
const row = (n: number, words: readonly number[]): string => [...LEAVES[n]!, ...words].map(hex).join(" ");

/** Runs the program. Undefined: there is no such model. */
function run(command: string, before: readonly string[], model: string, smp: string): Shown | undefined {
  const out = join(directory, "out");
  writeFileSync(out, "");
  const machine = [
    "-M",
    "pc",
    "-m",
    "16",
    "-nodefaults",
    "-display",
    "none",
    "-bios",
    bios,
    "-cpu",
    model,
    "-smp",
    smp,
  ];
  const port = ["-chardev", `file,id=c,path=${out}`, "-device", "isa-debugcon,chardev=c,iobase=0xe9"];
  const end = ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"];
  const { stderr } = spawnSync(command, [...before, ...machine, ...port, ...end], {
    encoding: "utf8",
    timeout: 120_000,
  });
  const bytes = readFileSync(out);
  if (bytes.length !== 16 * LEAVES.length) return undefined;
  return {
    rows: LEAVES.map((_, n) => row(n, [0, 4, 8, 12].map((at) => bytes.readUInt32LE(16 * n + at)))), // prettier-ignore
    warnings: [...new Set([...stderr.matchAll(/(TCG doesn't support requested feature.*)/g)].map((m) => m[1]!))],
  };
}

/** What the model's data answer, without a machine around it. */
function computed(name: string, word: 32 | 64): Shown | undefined {
  const model = findModel(name);
  if (model === undefined) return undefined;
  const warnings: string[] = [];
  const config = x86Config(model, cpuProps.parse({}), word, { index: 0, cpus: 1 }, (text) => void warnings.push(text));
  return { rows: LEAVES.map(([leaf, subleaf], n) => row(n, config.cpuid(leaf, subleaf))), warnings };
}

function models(program: string): string[] {
  const { stdout } = spawnSync(program, ["-cpu", "help"], { encoding: "utf8" });
  return [...stdout.matchAll(/^x86 (\S+)/gm)].map((m) => m[1]!).filter((name) => name !== "base" && name !== "host");
}

const { values } = commandLine(import.meta.filename, {
  options: {
    only: { type: "string", default: "" },
    whole: { type: "boolean", default: false },
    smp: { type: "string", default: "1" },
  },
});
if (!oracle("qemu-system-x86_64") || !oracle("qemu-system-i386")) {
  process.stdout.write("skipped: needs Debian's qemu-system-x86\n");
  process.exit(0);
}
const directory = mkdtempSync(join(tmpdir(), "mimus-cpuid-"));
const bios = join(directory, "bios");
writeFileSync(bios, image());
const wanted = new RegExp(values.only);
const whole = values.whole || values.smp !== "1";
let compared = 0;
let different = 0;
try {
  for (const word of [64, 32] as const) {
    const target = word === 64 ? "x86_64" : "i386";
    for (const model of models(`qemu-system-${target}`).filter((name) => wanted.test(name))) {
      const theirs = run(`qemu-system-${target}`, [], model, values.smp);
      if (theirs === undefined) continue;
      const { command, args } = mimusCommand();
      const ours = whole ? run(command, [...args, `system-${target}`], model, values.smp) : computed(model, word);
      const lines = (shown: Shown | undefined): string[] =>
        shown ? [...shown.rows, ...shown.warnings.toSorted()] : [];
      const [a, b] = [lines(ours), lines(theirs)];
      compared++;
      if (JSON.stringify(a) === JSON.stringify(b)) continue;
      different++;
      process.stdout.write(`${target} ${model}: ${ours === undefined ? "not there" : "differs"}\n`);
      for (const line of b.filter((l) => !a.includes(l)).slice(0, 10)) process.stdout.write(`  QEMU  ${line}\n`);
      for (const line of a.filter((l) => !b.includes(l)).slice(0, 10)) process.stdout.write(`  Mimus ${line}\n`);
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}
process.stdout.write(`${compared - different} of ${compared} models answer ${LEAVES.length} leaves as QEMU's\n`);
process.exitCode = different > 0 ? 1 : 0;
