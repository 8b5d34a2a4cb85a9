/** The listings of docs/translator.md: made by running guest programs, put between the page's markers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IrContext, jitText, parse } from "../../packages/tcg/src/index.ts";
import { BytecodeWriter } from "../../packages/tcg/src/interp/bytecode.ts";
import { Handlers } from "../../packages/tcg/src/interp/handlers.ts";
import { printBytecode } from "../../packages/tcg/src/interp/print.ts";
import { watch } from "./machine.ts";
import type { Ran } from "./machine.ts";
import { FLOAT, ORIGIN, SUM } from "./programs.ts";

const TIERS = { hotThreshold: 20, batch: 1, region: { threshold: 100 } } as const;
const LOOP = "0x1010";

/** The dump that is about a block or region at an address; the last one, if there are several. */
function about(texts: readonly string[], start: string): string {
  const found = texts.findLast((text) => text.startsWith(start));
  if (found === undefined)
    throw new Error(`Nothing begins with '${start}': ${texts.map((t) => t.split("\n")[0]).join("; ")}`);
  return found.trimEnd();
}

/** Lines from the first that contains `from` up to, not including, the next that contains `to`; less their common indentation. */
function piece(text: string, from: string, to: string): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.includes(from));
  const length = lines.slice(start + 1).findIndex((line) => line.includes(to)) + 1;
  if (start < 0 || length === 0) throw new Error(`No '${from}' … '${to}' in\n${text}`);
  const taken = lines.slice(start, start + length);
  const indent = Math.min(...taken.map((line) => line.search(/\S/)));
  return taken.map((line) => line.slice(indent)).join("\n");
}

function bytecode({ engine, shown }: Ran): string {
  const { target } = engine;
  const block = parse(about(shown.op, `func @tb(pc ${LOOP})`), new IrContext(target.globals, target.helpers));
  const handlers = new Handlers(target.wordType, target.helpers);
  const writer = new BytecodeWriter(handlers, target.globals, engine.ir.global(target.pcGlobal));
  writer.write(block);
  return printBytecode(writer.code.slice(0, writer.length), handlers, target.globals).trimEnd();
}

/** All listings by name. */
export function listings(): ReadonlyMap<string, string> {
  const user = watch(SUM, ORIGIN, { direct: true, tcg: TIERS });
  const system = watch(SUM, ORIGIN, { tcg: TIERS });
  const float = watch(FLOAT, ORIGIN, { direct: true, tcg: TIERS });
  const region = about(user.shown.outWat, ";; region 0x1000");
  return new Map([
    ["program", SUM.trim()],
    ["in_asm", user.shown.inAsm.join("\n").trimEnd()],
    ["op", about(user.shown.op, `func @tb(pc ${LOOP})`)],
    ["bytecode", bytecode(user)],
    ["op-main", about(user.shown.op, "func @tb(pc 0x1000)")],
    ["op_opt", about(user.shown.opOpt, "func @tb(pc 0x1000)")],
    ["block", about(system.shown.outWat, `;; block ${LOOP}`)],
    ["region", region],
    ["memory-user", piece(region, ";; 0x1010:", ";; 0x1014:")],
    ["memory-system", piece(about(system.shown.outWat, ";; region 0x1000"), ";; 0x1010:", ";; 0x1014:")],
    ["float-op", piece(about(float.shown.op, "func @tb(pc 0x1014)"), "insn 0", "insn 1")],
    ["float-wat", piece(about(float.shown.outWat, ";; region"), "fadd.d", "addi")],
    ["stats", jitText(user.engine).trimEnd()],
  ]);
}

/** The page as it is, with the listings as they should be. */
export function translatorPage(root: string): string {
  return fill(readFileSync(join(root, "docs/translator.md"), "utf8"));
}

/** The page with each listing between its markers, `<!-- listing NAME -->` and `<!-- end -->`. */
export function fill(page: string, all: ReadonlyMap<string, string> = listings()): string {
  const used = new Set<string>();
  const filled = page.replaceAll(/<!-- listing (\S+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const text = all.get(name);
    if (text === undefined)
      throw new Error(`docs/translator.md: no listing '${name}'; there are ${[...all.keys()].join(", ")}`);
    used.add(name);
    return `<!-- listing ${name} -->\n\n\`\`\`text\n${text}\n\`\`\`\n\n<!-- end -->`;
  });
  const unused = [...all.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`docs/translator.md does not show ${unused.join(", ")}`);
  return filled;
}
