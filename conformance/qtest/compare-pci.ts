/**
 * Configuration space of PCI functions against QEMU's: ids, classes, BARs and their sizes, capabilities.
 *
 *   node --conditions=@mimus/source conformance/qtest/compare-pci.ts [DEVICE ...]
 *
 * DEVICE as for -device; without any: the machine pc with every virtio device. Each word is printed that differs. Exit status 1 when one does.
 */
import { Qtest, qtestPort } from "@mimus/system";
import { commandLine } from "../lib/command-line.ts";
import { buildMachine } from "./machine.ts";
import { startQemu } from "./qemu.ts";

const VIRTIO = "blk-pci,drive=n0 net-pci rng-pci balloon-pci serial-pci".split(" ");
const DEFAULT = VIRTIO.flatMap((d) => [
  `virtio-${d}`,
  `virtio-${d},disable-legacy=on`,
  `virtio-${d},disable-modern=on`,
]);
const { positionals } = commandLine(import.meta.filename, { allowPositionals: true });
const devices =
  positionals.length > 0
    ? positionals
    : [...DEFAULT, "virtio-keyboard-pci", "virtio-mouse-pci", "virtio-tablet-pci", "edu", "i6300esb"];
/** Slot of the device. */
const SLOT = 4;
const hex = (n: number): string => n.toString(16).padStart(8, "0");

/** Operations that read configuration space as firmware does, BAR sizes included. */
function operations(): string[] {
  const at = (reg: number): string => `outl 0xcf8 0x${(0x8000_0000 + SLOT * 0x800 + reg).toString(16)}`;
  const lines: string[] = [];
  for (let reg = 0; reg < 0x100; reg += 4) {
    const bar = (reg >= 0x10 && reg < 0x28) || reg === 0x30;
    lines.push(at(reg), ...(bar ? ["outl 0xcfc 0xffffffff"] : []), "inl 0xcfc");
  }
  return lines;
}

let failed = 0;
for (const device of devices) {
  const blockdev = device.includes("drive=") ? ["-blockdev", "driver=null-co,node-name=n0"] : [];
  const args = [
    "-M",
    "pc",
    "-m",
    "32",
    "-nodefaults",
    "-vga",
    "none",
    ...blockdev,
    "-device",
    `${device},addr=${SLOT}`,
  ];
  const lines = operations();
  const words: number[][] = [];
  try {
    const qemu = await startQemu("x86_64", args);
    words.push((await qemu.ask(lines)).filter((l) => l.length > 3).map((l) => Number(l.slice(3))));
    qemu.close();
    const system = await buildMachine("x86_64", args.join(" "));
    const own: number[] = [];
    const qtest = new Qtest(qtestPort(system), (line) => void (line.length > 3 && own.push(Number(line.slice(3)))));
    for (const line of lines) qtest.line(line);
    words.push(own);
  } catch (error) {
    console.log(`${device}: ${error instanceof Error ? error.message : String(error)}`);
    failed++;
    continue;
  }
  const [theirs, ours] = words as [number[], number[]];
  const different = theirs.flatMap((word, i) =>
    word === ours[i] ? [] : [`  ${(4 * i).toString(16).padStart(2, "0")}: ${hex(word)} here ${hex(ours[i] ?? 0)}`],
  );
  console.log(
    `${device}: ${different.length === 0 ? "equal" : `${different.length} words differ\n${different.join("\n")}`}`,
  );
  if (different.length > 0) failed++;
}
process.exit(failed > 0 ? 1 : 0);
