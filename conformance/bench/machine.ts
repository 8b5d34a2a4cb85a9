import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LinuxShell } from "../lib/linux-shell.ts";
import { parseCodeCache } from "./code-cache.ts";
import { median } from "./stats.ts";
import { atMost, type Bar, figure, type Row } from "./table.ts";
import { type Contender, ours, type Peer, peersOf, type Platform, qemu, RISCV64, startLinux } from "./platform.ts";
import { progress } from "./tools.ts";

/** Runs `measure` for both contenders in turn, `rounds` times, and takes the medians. */
async function paired(
  rounds: number,
  measure: (contender: Contender) => Promise<number>,
): Promise<{ ours: number; qemu: number }> {
  const times: Record<"ours" | "qemu", number[]> = { ours: [], qemu: [] };
  for (let round = 0; round < rounds; round++) {
    times.ours.push(await measure(ours(RISCV64)));
    times.qemu.push(await measure(qemu(RISCV64)));
    progress(`round ${round + 1}: ours ${figure(times.ours.at(-1))}, QEMU ${figure(times.qemu.at(-1))}`);
  }
  return { ours: median(times.ours), qemu: median(times.qemu) };
}

/** Writes '!' to the UART with its first instructions, then powers off. */
const HELLO = Uint32Array.of(
  0x100002b7,
  0x02100313,
  0x00628023,
  0x001002b7,
  0x00005337,
  0x55530313,
  0x0062a023,
  0x0000006f,
);

/** From the start of the process to the first byte that the guest's first instructions write. */
export async function coldStart(rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const bios = join(folder, "hello.bin");
  await writeFile(bios, HELLO);
  const times = await paired(rounds, async (contender) => {
    const machine = contender.start(["-M", "virt", "-nographic", "-bios", bios]);
    const ms = await machine.waitFor("!", 20_000);
    machine.kill();
    await machine.exit(5000);
    return ms / 1000;
  });
  await rm(folder, { recursive: true });
  const bar = atMost("under 0.35 s", times.ours, 0.35);
  return [{ what: "cold start to the first guest instruction", unit: "s", ...times, better: "less", bar }];
}

type Key = "wall" | "cpu" | "rss" | "touched" | "idle" | "code";
type Figures = Record<Key, number[]>;

/** After this time at the prompt what the boot left behind is cleaned up: V8 collects its garbage twice within 15 s, 160 ms each time. */
const SETTLED_MS = 18_000;

/** Boots a guest to its prompt, and watches it there. */
async function bootOnce(platform: Platform, who: Peer, of: Figures, idleSeconds: number): Promise<void> {
  const machine = startLinux(platform, who);
  try {
    of.wall.push((await new LinuxShell(machine).ready(300_000)) / 1000);
    const atPrompt = await machine.usage();
    of.cpu.push(atPrompt?.cpuSeconds ?? Number.NaN);
    of.rss.push(atPrompt?.rssMiB ?? Number.NaN);
    await machine.type("grep -E 'MemTotal|MemFree' /proc/meminfo; echo done\n");
    await machine.waitFor("\ndone", 20_000);
    const kib = (name: string): number =>
      Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(machine.log)?.[1] ?? Number.NaN);
    of.touched.push(512 - kib("MemFree") / 1024);
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const before = await machine.usage();
    await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
    const after = await machine.usage();
    of.idle.push((100 * ((after?.cpuSeconds ?? Number.NaN) - (before?.cpuSeconds ?? Number.NaN))) / idleSeconds);
    if (who === "v86") return;
    const from = machine.log.length;
    await machine.type("\x01cinfo jit\n");
    await machine.waitFor(/(evictions|TB flush count) +\d+\s/, 20_000);
    of.code.push(parseCodeCache(machine.log.slice(from)).bytes / 2 ** 20);
  } finally {
    machine.kill();
    await machine.exit(5000);
  }
}

/** Boot time to the shell; then memory at the prompt, and the processor time of an idle guest. */
export async function boot(platform: Platform, rounds: number, idleSeconds: number): Promise<Row[]> {
  const figures = new Map<Peer, Figures>();
  for (let round = 0; round < rounds; round++)
    for (const who of peersOf(platform)) {
      const of = figures.get(who) ?? { wall: [], cpu: [], rss: [], touched: [], idle: [], code: [] };
      figures.set(who, of);
      await bootOnce(platform, who, of, idleSeconds);
      progress(`round ${round + 1}: ${who} at the shell after ${figure(of.wall.at(-1))} s`);
    }
  const row = (what: string, unit: string, key: Key, bar?: (ours: number, qemu: number) => Bar): Row => {
    const of = (who: Peer): number => median(figures.get(who)?.[key] ?? []);
    const v86 = figures.has("v86") && key !== "code" ? { v86: of("v86") } : {};
    const times = { ours: of("ours"), qemu: of("qemu"), ...v86 };
    return { what, unit, ...times, better: "less", ...(bar === undefined ? {} : { bar: bar(times.ours, times.qemu) }) };
  };
  const most = median(figures.get("ours")?.touched ?? []) + 400;
  const times = platform === RISCV64 ? 1.3 : 1.5;
  const what = platform === RISCV64 ? "Debian kernel to the shell" : "SeaBIOS to Debian's kernel to the shell";
  return [
    row(what, "s", "wall", (mine, peers) => atMost(`at most ${times} times QEMU's`, mine, times * peers)),
    row("processor time to the shell", "s", "cpu"),
    row("resident memory at the prompt", "MiB", "rss", (mine) =>
      atMost(`at most ${most.toFixed(0)} (400 more than the guest uses)`, mine, most),
    ),
    row("generated code after the boot", "MiB", "code"),
    row("idle guest", "% of a core", "idle", (mine) => atMost("under 2", mine, 2)),
  ];
}
