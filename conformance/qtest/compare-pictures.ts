/**
 * Pictures of the VGA against QEMU's: modes programmed through the test protocol, random memory and colours, every pixel compared.
 *
 *   pnpm qtest-pictures [--seed N] [--modes 12,13,...]
 *
 * Exit status 1 when one differs. Needs qemu-system-x86 7.2.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DISPLAY_KIND, type DisplayConsole, ppm } from "@mimus/display";
import { Qtest, qtestPort } from "@mimus/system";
import { Seeded } from "@mimus/testkit";
import { commandLine } from "../lib/command-line.ts";
import { nodeHost } from "../tools/host.ts";
import { buildMachine } from "./machine.ts";
import { MODES, modeOperations } from "./modes.ts";
import { startQemu } from "./qemu.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: { seed: { type: "string", default: "1" }, modes: { type: "string" } },
});

const ARGS = ["-M", "pc", "-m", "64", "-nodefaults", "-vga", "std"];
const folder = mkdtempSync(join(tmpdir(), "mimus-pictures-"));

/** One command of QEMU's monitor; resolves at the next prompt. */
function hmp(path: string): { run(command: string): Promise<string>; close(): void } {
  const socket = createConnection(path);
  let text = "";
  let wake: (() => void) | undefined;
  socket.on("data", (bytes: Buffer) => {
    text += String(bytes);
    wake?.();
  });
  const prompt = async (): Promise<string> => {
    while (!text.endsWith("(qemu) ")) await new Promise<void>((resolve) => (wake = resolve));
    const seen = text;
    text = "";
    return seen;
  };
  let greeted: Promise<string> | undefined = prompt();
  return {
    async run(command) {
      await greeted;
      greeted = undefined;
      socket.write(`${command}\n`);
      return prompt();
    },
    close: () => void socket.destroy(),
  };
}

/** A P6 file in parts. */
function parts(file: Uint8Array): { size: string; pixels: Uint8Array } {
  const text = Buffer.from(file.subarray(0, 32)).toString("latin1");
  const [head = "", size = ""] = /^P6\n(\d+ \d+)\n255\n/.exec(text) ?? [];
  return { size, pixels: file.subarray(head.length) };
}

async function picture(name: string, seed: number): Promise<string> {
  const lines = modeOperations(name, new Seeded(seed));
  const socket = join(folder, "monitor");
  const qemu = await startQemu("x86_64", [
    ...ARGS,
    "-chardev",
    `socket,id=m,path=${socket},server=on,wait=off`,
    "-mon",
    "m",
  ]);
  const system = await buildMachine("x86_64", ARGS.join(" "), { ...nodeHost(), now: () => 0 });
  try {
    const qtest = new Qtest(qtestPort(system), (answer) => {
      if (answer.startsWith("FAIL")) throw new Error(answer);
    });
    for (const line of lines) qtest.line(line);
    await qemu.ask(lines);
    const monitor = hmp(socket);
    const dump = join(folder, "qemu.ppm");
    // The first look may still find the size before.
    for (let n = 0; n < 2; n++) await monitor.run(`screendump ${dump}`);
    monitor.close();
    const console = system.machine.backend(DISPLAY_KIND, "0") as DisplayConsole;
    console.refresh?.();
    if (console.surface === undefined) return "no picture";
    const [ours, theirs] = [parts(ppm(console.surface)), parts(new Uint8Array(readFileSync(dump)))];
    if (ours.size !== theirs.size) return `${ours.size} instead of ${theirs.size}`;
    const width = Number(ours.size.split(" ")[0]);
    let wrong = 0;
    let first = -1;
    for (let at = 0; at < ours.pixels.length; at++)
      if (ours.pixels[at] !== theirs.pixels[at]) {
        wrong++;
        if (first < 0) first = Math.floor(at / 3);
      }
    return wrong === 0 ? "" : `${wrong} bytes differ, from ${first % width},${Math.floor(first / width)} on`;
  } finally {
    qemu.close();
  }
}

let failed = 0;
for (const name of o.modes?.split(",") ?? Object.keys(MODES)) {
  const wrong = await picture(name, Number(o.seed));
  console.log(`${name.padEnd(12)} ${wrong === "" ? "equal" : wrong}`);
  if (wrong !== "") failed++;
}
rmSync(folder, { recursive: true });
process.exit(failed > 0 ? 1 : 0);
