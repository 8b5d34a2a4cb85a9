/** Figures in Chromium, on a page that is not cross-origin isolated: no SharedArrayBuffer. */
import { hasChromium, Site } from "../web/page.ts";
import { SHELL_MARKER } from "../../tools/guests/initramfs.ts";
import { linuxArgs, qemu, RISCV64 } from "./platform.ts";
import { median } from "./stats.ts";
import { atMost, figure, type Row } from "./table.ts";
import { BenchError, needGuest, progress } from "./tools.ts";

export function needChromium(): void {
  if (!hasChromium())
    throw new BenchError("missing", "no Chromium: Debian's package chromium, or CHROMIUM=PATH names another one");
}

/** Linux from the request for the page to its shell, and QEMU from its start to the same line. */
export async function browserBoot(rounds: number): Promise<Row[]> {
  needChromium();
  needGuest("riscv64/initramfs.gz");
  const site = await Site.start(needGuest("riscv64/linux"));
  const seconds: Record<"ours" | "qemu", number[]> = { ours: [], qemu: [] };
  try {
    for (let round = 0; round < rounds; round++) {
      const machine = qemu(RISCV64).start(linuxArgs(RISCV64));
      try {
        seconds.qemu.push((await machine.waitFor(SHELL_MARKER, 180_000)) / 1000);
      } finally {
        machine.kill();
        await machine.exit(5000);
      }
      const fields = {
        bios: "guests/riscv64/fw_dynamic.bin",
        kernel: "guests/riscv64/linux",
        initrd: "guests/riscv64/initramfs.gz",
        append: "console=ttyS0",
      };
      const page = await site.open(fields, { isolated: false });
      if ((await page.page.evaluate("typeof SharedArrayBuffer")) !== "undefined")
        throw new BenchError("failed", "the page has SharedArrayBuffer");
      seconds.ours.push(await page.shows(SHELL_MARKER, 300_000));
      await site.closePages();
      progress(`round ${round + 1}: Chromium ${figure(seconds.ours.at(-1))} s, QEMU ${figure(seconds.qemu.at(-1))} s`);
    }
  } finally {
    await site.close();
  }
  const times = { ours: median(seconds.ours), qemu: median(seconds.qemu) };
  const bar = atMost("at most 2 times QEMU's", times.ours, 2 * times.qemu);
  return [{ what: "Debian kernel to the shell, in Chromium", unit: "s", ...times, better: "less", bar }];
}
