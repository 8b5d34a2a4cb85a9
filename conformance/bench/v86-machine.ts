/**
 * A PC of the npm package v86 in a Node process of its own, its serial port on standard input and output.
 * Run: node conformance/bench/v86-machine.ts MEBIBYTES KERNEL [INITRD [APPEND]] [--disk FILE] [--multiboot]
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { V86, type V86Options } from "v86";

/** Debian's package seabios. */
const FIRMWARE = "/usr/share/seabios";
const MIB = 2 ** 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { disk: { type: "string" }, multiboot: { type: "boolean", default: false } },
});
const [mebibytes = "512", kernel = "", initrd, append = ""] = positionals;

const file = (path: string): { buffer: ArrayBuffer } => {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return { buffer: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer };
};

const options: V86Options = {
  wasm_path: fileURLToPath(import.meta.resolve("v86")).replace("libv86.mjs", "v86.wasm"),
  bios: file(`${FIRMWARE}/bios.bin`),
  vga_bios: file(`${FIRMWARE}/vgabios-stdvga.bin`),
  memory_size: Number(mebibytes) * MIB,
  vga_memory_size: 2 * MIB,
  acpi: false,
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  ...(values.multiboot ? { multiboot: file(kernel) } : { bzimage: file(kernel), cmdline: append }),
  ...(initrd === undefined ? {} : { initrd: file(initrd) }),
  ...(values.disk === undefined ? {} : { hda: file(values.disk) }),
};

const machine = new V86(options);
machine.add_listener("serial0-output-byte", (byte: number) => void process.stdout.write(Buffer.of(byte)));
process.stdin.on("data", (bytes: Buffer) => {
  for (const byte of bytes) machine.serial0_send(String.fromCharCode(byte));
});
