/** Debian systems on disks and first screens of other software. By hand: `pnpm systems`. */
import { afterEach, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { bootOnce, BOOTS, nameOf } from "../systems/boot.ts";
import { obstacle } from "../systems/debian.ts";
import { filesOf, FIRST_SCREENS } from "../systems/first-screens.ts";
import { vgaFont } from "../systems/screen.ts";
import { stress } from "../systems/stress.ts";

afterEach(() => Console.killAll());

const MINUTES = 60_000;
const HOUR = 60 * MINUTES;
const why = obstacle();
if (why !== undefined) console.log(`Debian systems are skipped: ${why}`);

describe.skipIf(why !== undefined)("Debian on a disk", { timeout: 2 * HOUR }, () => {
  test.each(BOOTS.map((c) => [nameOf(c), c] as const))("%s", async (_, c) => {
    const result = await bootOnce({ ...c, cpus: 2 });
    expect(result).toMatchObject({
      cpus: 2,
      machine: c.architecture === "amd64" ? "x86_64" : "i686",
      disk: c.bus === "ide" ? "/dev/sda1" : "/dev/vda1",
      failedUnits: "",
      exit: 0,
      fsck: 0,
    });
  });

  test.each(["ide", "virtio"] as const)("stress-ng and fio find no error on %s", async (bus) => {
    const result = await stress({ architecture: "amd64", bus, cpus: 2, minutes: 2 });
    expect(result.fsck).toBe(0);
    expect(result.complaints).toBe("");
    expect(result.growth).toBeLessThan(1.2);
  });
});

const noFont = vgaFont() === undefined;
if (noFont) console.log("first screens are skipped: Debian's package seabios is missing");

describe.skipIf(noFont)("first screens (need 'pnpm guests pc')", { timeout: 4 * HOUR }, () => {
  for (const screen of FIRST_SCREENS) {
    const files = filesOf(screen);
    test.skipIf(files === undefined)(screen.name, async () => {
      expect(await screen.run(files ?? [], { qemu: false })).not.toBe("");
    });
  }
});
