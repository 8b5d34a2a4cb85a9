import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { CHARACTER, cpio, type CpioEntry, DIRECTORY, EXECUTABLE, REGULAR } from "./cpio.ts";

const run = promisify(execFile);

/** Printed on the console when the shell is about to take over; what tests and benchmarks wait for. */
export const SHELL_MARKER = "MIMUS-GUEST-READY";

/** Printed by that shell when it waits for a command. */
export const SHELL_PROMPT = "~ # ";

const INIT = `#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev 2>/dev/null
$B --install -s /bin
arg() { for w in $($B cat /proc/cmdline); do case $w in $1=*) echo "\${w#*=}";; esac; done; }
# Each module costs seconds of an emulated processor: mimus.modules=NAME,NAME loads these only.
wanted=$(arg mimus.modules | $B tr , ' ')
for m in \${wanted:-$($B cat /modules/order 2>/dev/null)}; do $B insmod /modules/\${m%.ko}.ko 2>/dev/null; done
root=$(arg mimus.root)
if [ -n "$root" ]; then
  i=0
  while [ ! -b "$root" ] && [ $i -lt 50 ]; do $B usleep 100000; i=$((i+1)); done
  $B mkdir -p /newroot
  $B mount -t ext4 "$root" /newroot && exec $B switch_root /newroot /init
  echo "cannot mount $root"
fi
echo "${SHELL_MARKER} $($B uname -m)"
export PS1='${SHELL_PROMPT}' HOME=/ TERM=\${TERM:-linux}
$B setsid $B cttyhack $B sh
$B poweroff -f
`;

function skeleton(busybox: Uint8Array): CpioEntry[] {
  const directories = [".", "bin", "dev", "etc", "proc", "sys", "tmp", "modules"];
  return [
    ...directories.map((name) => ({ name, mode: DIRECTORY })),
    { name: "bin/busybox", mode: EXECUTABLE, data: busybox },
    { name: "dev/console", mode: CHARACTER, device: [5, 1] },
    { name: "dev/null", mode: CHARACTER, device: [1, 3] },
    { name: "init", mode: EXECUTABLE, data: Buffer.from(INIT) },
  ];
}

/** Writes the initramfs that runs a busybox shell; `modules` are compressed kernel modules, loaded in this order. */
export async function writeInitramfs(path: string, busyboxPath: string, modules: readonly string[]): Promise<void> {
  const entries = skeleton(await readFile(busyboxPath));
  const names: string[] = [];
  for (const module of modules) {
    const name = basename(module, ".xz");
    const { stdout } = await run("xz", ["-dc", module], { encoding: "buffer", maxBuffer: 64 << 20 });
    entries.push({ name: join("modules", name), mode: REGULAR, data: stdout });
    names.push(name);
  }
  if (names.length > 0)
    entries.push({ name: "modules/order", mode: REGULAR, data: Buffer.from(`${names.join("\n")}\n`) });
  await writeFile(path, gzipSync(cpio(entries), { level: 9 }));
}
