/** Random code through our disassembler and through GNU objdump. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { ALL_ROWS, createDisassembler } from "@mimus/target-x86";
import { Random } from "../isa/random.ts";
import { randomInstruction } from "./random-code.ts";

const MACHINES = { 16: "i8086", 32: "i386", 64: "i386:x86-64" } as const;
/** Prefixes that say nothing about the instruction behind them; objdump shows them, and where a segment is the default. */
const SILENT = /\b(rex(\.\w+)?|[cdefgs]s|addr(16|32)|data(16|32)|repn?z|bnd|notrack|xacquire|xrelease) |%[cdefgs]s:/g;

/** Whether there is an objdump. */
export function hasObjdump(): boolean {
  return spawnSync("objdump", ["--version"]).status === 0;
}

/** What the two make of random instructions: how many both know, and where they differ in length or text. */
export interface Comparison {
  readonly instructions: number;
  readonly lengths: readonly string[];
  readonly texts: readonly string[];
}

/** Compares `count` instructions of code of `mode` bits; `file` is where objdump gets them from. */
export function compareWithObjdump(mode: 16 | 32 | 64, count: number, seed: number, file: string): Comparison {
  const random = new Random(seed + mode);
  const rows = ALL_ROWS.filter(({ flags = "" }) => !flags.includes(mode === 64 ? "i64" : "o64"));
  const bytes = Buffer.from(
    Array.from({ length: count }, () => randomInstruction(random, random.pick(rows), mode)).flat(),
  );
  writeFileSync(file, bytes);
  const arguments_ = ["-D", "-b", "binary", "-m", MACHINES[mode], "--insn-width=16", file];
  const { stdout } = spawnSync("objdump", arguments_, { maxBuffer: 1 << 28 });
  const disassemble = createDisassembler(mode);
  const plain = (text: string): string => text.replaceAll(/\s+/g, " ").replaceAll(SILENT, "").trim();
  const result = { instructions: 0, lengths: [] as string[], texts: [] as string[] };
  for (const line of stdout.toString().split("\n")) {
    const [, address, hex, text = ""] = /^ *([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$/.exec(line) ?? [];
    if (address === undefined || hex === undefined) continue;
    const at = Number.parseInt(address, 16);
    if (at + 16 > bytes.length) break;
    const wanted = plain(text);
    const got = disassemble(BigInt(at), bytes.subarray(at, at + 16));
    if (wanted.includes("(bad)") || got.text === "(bad)") continue;
    result.instructions++;
    const differ = `${hex.trim()}: ${got.text}, objdump ${wanted}`;
    // FWAIT before an x87 instruction, and prefixes alone, are shown as one instruction by one and as two by the other
    if (got.length !== hex.trim().split(" ").length) {
      if (!/^(9b|[0-9a-f]{2}( [0-9a-f]{2})?$)/.test(hex.trim())) result.lengths.push(differ);
    } else if (plain(got.text) !== wanted) result.texts.push(differ);
  }
  return result;
}
