// Assembles rom/boot.S with GNU as and writes src/boot/rom-image.ts, which is kept in the repository. Needs gcc and binutils for x86.
//   node packages/hw-pc/scripts/assemble-rom.ts [--check]

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const target = join(root, "src/boot/rom-image.ts");
const folder = mkdtempSync(join(tmpdir(), "mimus-rom-"));
let text = "";
try {
  const [object, binary] = [join(folder, "boot.o"), join(folder, "boot.bin")];
  execFileSync("gcc", ["-m32", "-c", "-o", object, join(root, "rom/boot.S")]);
  execFileSync("ld", ["-m", "elf_i386", "-Ttext=0", "-e", "_start", "--oformat", "binary", "-o", binary, object]);
  const code = readFileSync(binary);
  const bytes = Buffer.alloc(Math.ceil(code.length / 512) * 512);
  code.copy(bytes);
  const pnp = bytes.readUInt16LE(0x1a);
  const header = bytes.subarray(pnp, pnp + 16 * bytes[pnp + 5]!);
  header[9] = -header.reduce((sum, byte) => sum + byte, 0) & 0xff;
  const lines = bytes.toString("base64").match(/.{1,100}/g) ?? [];
  text = `/** The option ROM of rom/boot.S in base64. Written by scripts/assemble-rom.ts. */
export const ROM_IMAGE: string =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`;
} finally {
  rmSync(folder, { recursive: true });
}
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") === text) process.exit(0);
  process.stderr.write(
    "src/boot/rom-image.ts is not what rom/boot.S assembles to: run packages/hw-pc/scripts/assemble-rom.ts\n",
  );
  process.exit(1);
}
writeFileSync(target, text);
