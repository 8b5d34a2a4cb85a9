/** Long runs over the image formats. `pnpm disks -h` says which. */
import { parseArgs } from "node:util";
import { bothWays } from "./both-ways.ts";
import { guestfish } from "./guestfish.ts";
import { hostile } from "./hostile/hostile.ts";
import { images } from "./images.ts";
import { jobs } from "./jobs.ts";
import { crash, faults, fuzz, random } from "./runs.ts";

const HELP = `Usage: pnpm disks COMMAND [FORMAT...] [--count N] [--seed N] [--first N]

  images FOLDER...  images with an EXPECTED.json: sizes, content hashes, and what to do with hostile ones
  both-ways         each format, sub-format and option: made by one of mimus img and qemu-img, judged by the other
  guestfish         libguestfs's shell on two disks over nbd:// (about 90 s, needs guestfish and a kernel package)
  random            random operations against a plain model, judged by qemu-img at each reopen (default 10,000)
  crash             power cuts: nothing flushed is lost, at most leaks (default 1,000)
  faults            each call of the host fails in turn (default 200)
  jobs              chains that change under a guest that writes (default 1,000 changes)
  fuzz              damaged images are read or refused (default 100,000)
  hostile           every field and table entry of every kind of image at its edges, and every tool on each
                    (default 400 changes of an image; --messages prints each refusal once)

FORMAT is a format or the name of one of its variants; all when none is given. The status is 1 when something failed.
`;
const DEFAULTS: Readonly<Record<string, number>> = {
  random: 10_000,
  crash: 1_000,
  faults: 200,
  fuzz: 100_000,
  jobs: 1_000,
};
const RUNS = { random, crash, faults, fuzz, jobs };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    seed: { type: "string" },
    first: { type: "string" },
    messages: { type: "boolean", default: false },
    help: { type: "boolean", short: "h" },
  },
});
const [command = "", ...rest] = positionals;
const print = (line: string): void => console.log(line);
if (values.help || command === "") print(HELP);
else if (command === "images") process.exitCode = (await images(rest, print)) ? 0 : 1;
else if (command === "both-ways") process.exitCode = bothWays(rest, print) ? 0 : 1;
else if (command === "guestfish") process.exitCode = (await guestfish(print)) ? 0 : 1;
else if (command === "hostile") {
  const number = (value: string | undefined, or: number): number => (value === undefined ? or : Number(value));
  const numbers = { count: number(values.count, 400), seed: number(values.seed, 1), first: number(values.first, 0) };
  const fine = await hostile({ formats: rest, ...numbers, messages: values.messages, print });
  process.exitCode = fine ? 0 : 1;
} else if (Object.hasOwn(RUNS, command)) {
  const count = Number(values.count ?? DEFAULTS[command]);
  const seed = Number(values.seed ?? 1);
  const first = Number(values.first ?? 0);
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
    console.error("disks: --count and --seed are whole numbers");
    process.exit(2);
  }
  try {
    await RUNS[command as keyof typeof RUNS]({ formats: rest, count, seed, first, print });
  } catch (e) {
    console.error(`disks: ${e instanceof Error ? e.message : String(e)}`);
    process.exitCode = 1;
  }
} else {
  console.error(
    `disks: no command '${command}'; one of images, both-ways, guestfish, hostile, ${Object.keys(RUNS).join(", ")}`,
  );
  process.exitCode = 2;
}
