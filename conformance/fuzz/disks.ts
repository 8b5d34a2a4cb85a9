/** The image formats as parsers: damaged images are read or refused. */
import { processorMs } from "./processor.ts";
import { runMutations } from "@mimus/testkit";
import type { Parser } from "./parser.ts";
import { RESEAL } from "./reseal.ts";
import { seedsOf } from "./seeds.ts";

const FORMATS = "qcow2 qcow vmdk vdi vpc vhdx qed cow parallels luks luks-key bochs cloop dmg ova".split(" ");

/** One parser for each format. `allocated`: bytes of buffers asked for until now */
export function diskParsers(allocated: () => number): Parser[] {
  return FORMATS.map((format) => ({
    name: format,
    what: format === "luks-key" ? "luks images, unlocked" : `${format} images`,
    run: async ({ count, seed, first, started, progress }) => {
      const { rig, seeds } = await seedsOf(format);
      const reseal = RESEAL[format];
      const found = await runMutations(rig, {
        seeds,
        runs: count,
        seed,
        first,
        clock: () => performance.now(),
        exactClock: processorMs,
        allocated,
        started,
        progress,
        ...(reseal ? { reseal } : {}),
      });
      const { runs, opened, refused, longestMs, written, checked } = found;
      return {
        runs,
        taken: opened,
        refused,
        longestMs,
        notes: `${written} written to, ${checked} checked or repaired`,
      };
    },
  }));
}
