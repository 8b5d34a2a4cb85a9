/** What the command shows of the translator: every stage with `-d`, the counters with `-d stats` and in the monitor. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, it } from "vitest";
import { Console } from "../lib/console.ts";
import { bootEmbedded, powerOff } from "../lib/embedded-guest.ts";

const folder = mkdtempSync(join(tmpdir(), "mimus-translator-"));
afterAll(() => rmSync(folder, { recursive: true }));

afterEach(() => Console.killAll());

it("-d shows every stage, -d stats the counters", { timeout: 120_000 }, async () => {
  const file = join(folder, "all.log");
  const console = await bootEmbedded(
    "riscv64",
    "-accel",
    "tcg,backend=region",
    "-d",
    "in_asm,op,op_opt,out_wat,stats",
    "-D",
    file,
  );
  expect(await powerOff(console)).toBe(0);
  const log = readFileSync(file, "utf8");
  expect(log).toMatch(/^0x80000000: {2}\w/m);
  expect(log).toContain("func @tb(pc 0x80000000) {");
  const region = /^;; region 0x80000000: .*\n\(func \$region\.80000000 [\s\S]*?^\)/m.exec(log)?.[0] ?? "";
  expect(region).toContain(";; 0x80000000:  ");
  expect(region).toContain("(local.set $budget");
  expect(log).toMatch(/^Regions\n {2}compiled +[1-9]/m);
});

it("-dfilter limits what is shown to addresses", { timeout: 120_000 }, async () => {
  const file = join(folder, "some.log");
  const filter = ["-dfilter", "0x80000000+0x40"];
  const console = await bootEmbedded("riscv64", "-accel", "tcg,backend=wasm", "-d", "out_wat", ...filter, "-D", file);
  expect(await powerOff(console)).toBe(0);
  const shown = [...readFileSync(file, "utf8").matchAll(/^;; block 0x([\da-f]+):/gm)].map((m) => parseInt(m[1]!, 16));
  expect(shown.length).toBeGreaterThan(0);
  expect(Math.max(...shown)).toBeLessThan(0x80000040);
});

it("info jit in the monitor, while the guest runs", { timeout: 120_000 }, async () => {
  const console = await bootEmbedded("riscv64");
  await console.type("\u0001c");
  await console.waitFor("(qemu) ", 60_000);
  await console.type("info jit\r");
  await console.waitFor("Time, ms", 60_000);
  for (const name of ["translated", "jump cache misses", "TLB fills", "WebAssembly in use", "evictions"])
    expect(console.log).toMatch(new RegExp(`\\n {2}${name} +\\d`));
});
