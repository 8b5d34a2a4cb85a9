/**
 * The devices of a PC against QEMU's: the same random accesses to registers, the same answers. Time stands still.
 *
 *   pnpm qtest-compare [--chips pic,pit,...] [--rounds N] [--ops N] [--seed N] [--verbose]
 *
 * Each round begins with a new machine. A difference is printed with the operations that led to it; exit status 1 when there is one.
 * Needs qemu-system-x86 7.2.
 */
import { Qtest, qtestPort } from "@mimus/system";
import { Seeded } from "@mimus/testkit";
import { commandLine } from "../lib/command-line.ts";
import { nodeHost } from "../tools/host.ts";
import { buildMachine } from "./machine.ts";
import { type Answering, startQemu } from "./qemu.ts";
import { CHIPS } from "./chips.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: {
    chips: { type: "string" },
    rounds: { type: "string", default: "3" },
    ops: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    verbose: { type: "boolean", default: false },
  },
});

async function startOurs(args: string): Promise<Answering> {
  const system = await buildMachine("x86_64", args, {
    ...nodeHost(),
    now: () => 0,
    wallNow: () => Date.parse(`${START}Z`) * 1e6,
  });
  let last: string | undefined;
  const qtest = new Qtest(qtestPort(system), (line) => {
    if (!line.startsWith("IRQ ")) last = line;
  });
  return {
    async ask(lines) {
      return lines.map((line) => {
        last = undefined;
        qtest.line(line);
        return last ?? "";
      });
    },
    close() {},
  };
}

/** What the clock shows. */
const START = "2024-02-29T23:59:50";
/** Operations shown before the one that differs. */
const SHOWN = 12;
const BATCH = 200;

async function round(name: string, seed: number): Promise<boolean> {
  const chip = CHIPS[name];
  if (chip === undefined) throw new Error(`no chip '${name}'; there are: ${Object.keys(CHIPS).join(", ")}`);
  const args = ["-M", "pc", "-m", "64", "-nodefaults", "-vga", "none", ...(chip.args ?? [])];
  const random = new Seeded(seed);
  const next = chip.operations(random);
  const [ours, qemu] = [
    await startOurs(args.join(" ")),
    await startQemu("x86_64", [...args, "-rtc", `clock=vm,base=${START}`]),
  ];
  const history: string[] = [];
  try {
    const setup = chip.setup ?? [];
    await qemu.ask(setup);
    await ours.ask(setup);
    for (let done = 0; done < Number(o.ops); done += BATCH) {
      const lines = Array.from({ length: BATCH }, () => next());
      const [theirs, own] = [await qemu.ask(lines), await ours.ask(lines)];
      for (const [i, line] of lines.entries()) {
        history.push(`${line} -> ${theirs[i]}`);
        if (o.verbose) console.log(`  ${line} -> ${theirs[i]} | ${own[i]}`);
        if (theirs[i] === own[i] || chip.same?.(line, theirs[i]!, own[i]!) === true) continue;
        console.log(
          `${name}, seed ${seed}: after ${done + i} operations\n  ${history.slice(-SHOWN).join("\n  ")}\n  here: ${own[i]}`,
        );
        return false;
      }
    }
  } finally {
    qemu.close();
    ours.close();
  }
  return true;
}

const chips = o.chips?.split(",") ?? Object.keys(CHIPS);
let failed = 0;
for (const name of chips) {
  let good = 0;
  for (let n = 0; n < Number(o.rounds); n++) if (await round(name, Number(o.seed) + n)) good++;
  console.log(`${name}: ${good} of ${o.rounds} rounds of ${o.ops} operations agree`);
  failed += Number(o.rounds) - good;
}
process.exit(failed > 0 ? 1 : 0);
