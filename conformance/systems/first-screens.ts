/** Software that is started far enough to show its first screen, and a little further. */
import { Console } from "../lib/console.ts";
import { guest, startMimus } from "../lib/mimus.ts";
import { MINUTE, record } from "./patience.ts";
import { ScreenPc } from "./screen.ts";

/** What a program is shown on. */
interface How {
  /** QEMU in the machine's place. */
  readonly qemu: boolean;
  /** Guest time goes by instructions, 2^icount ns each: installers and memtest86+ only, the others wait for keys. */
  readonly icount?: number;
}

/** A program, and what it has to show. */
export interface FirstScreen {
  readonly name: string;
  /** Files of `pnpm guests pc` that it needs. */
  readonly files: readonly string[];
  /** @returns what was seen; @throws Error where it was not */
  run(paths: readonly string[], how: How): Promise<string>;
}

const ARCHITECTURES = ["amd64", "i386"] as const;
const targetOf = (architecture: (typeof ARCHITECTURES)[number]): "x86_64" | "i386" =>
  architecture === "amd64" ? "x86_64" : "i386";

const byCount = ({ icount }: How): string[] => (icount === undefined ? [] : ["-icount", `shift=${icount},sleep=off`]);

function withSerial(target: string, args: readonly string[], { qemu }: How): Console {
  const all = ["-nographic", "-nic", "none", ...args];
  const console = qemu ? new Console(`qemu-system-${target}`, all) : startMimus([`system-${target}`, ...all]);
  record(console);
  return console;
}

const installers = ARCHITECTURES.flatMap((architecture): FirstScreen[] => {
  const files = [`${architecture}/installer-linux`, `${architecture}/installer-initrd.gz`];
  const args = ([kernel = "", initrd = ""]: readonly string[]): string[] => ["-m", "1024", "-kernel", kernel, "-initrd", initrd]; // prettier-ignore
  return [
    {
      name: `installer-${architecture}-vga`,
      files,
      run: async (paths, how) => {
        // In the font of Linux, most of whose letters are those of a VGA BIOS, and not in its own. Source: Debian GNU/Linux Installation Guide, 5.3.2, debian-installer/framebuffer.
        const inText = [...args(paths), "-append", "fb=false"];
        const pc = new ScreenPc(targetOf(architecture), [...inText, ...byCount(how)], how);
        const seconds = await pc.shows("Select a language", 30);
        await pc.shows("Choose the language to be used", 1);
        await pc.shows("<Go Back>", 1);
        await pc.close();
        return `'Select a language' in the picture after ${seconds.toFixed(0)} s`;
      },
    },
    {
      name: `installer-${architecture}-serial`,
      files,
      run: async (paths, how) => {
        const console = withSerial(targetOf(architecture), ["-vga", "none", ...args(paths), ...byCount(how), "-append", "console=ttyS0"], how); // prettier-ignore
        const ms = await console.waitFor("Select a language", 30 * MINUTE);
        console.kill();
        return `'Select a language' after ${(ms / 1000).toFixed(0)} s`;
      },
    },
  ];
});

/** iPXE waits for a key for two seconds: a machine that was late with it has no bootable device, and starts again. */
async function shellOf(pc: ScreenPc): Promise<number> {
  for (let resets = 0; ; resets++) {
    const seconds = await pc.shows(/iPXE>|No bootable device/, 5, "ctrl-b");
    if ((await pc.text()).includes("iPXE>")) return seconds;
    if (resets === 5) throw new Error("iPXE took no key in six starts");
    await pc.console.type("system_reset\n");
    await pc.shows(/^(?![^]*No bootable device)/, 5);
  }
}

const ipxe = (["lkrn", "iso"] as const).map((kind): FirstScreen => ({
  name: `ipxe-${kind}`,
  files: [`i386/ipxe.${kind}`],
  run: async ([path = ""], how) => {
    const medium = kind === "lkrn" ? ["-kernel", path] : ["-cdrom", path, "-boot", "d"];
    const pc = new ScreenPc("x86_64", ["-m", "64", ...medium], how);
    const seconds = await shellOf(pc);
    await pc.keys(..."echo".split(""), "spc", ..."mimus42".split(""), "ret");
    await pc.shows(/^mimus42$/m, 2);
    await pc.close();
    return `shell after ${seconds.toFixed(0)} s, answers`;
  },
}));

/** Memory that memtest86+ tests, MiB. */
const MEMTEST_MIB = 64;

const memtest = ARCHITECTURES.map((architecture): FirstScreen => ({
  name: `memtest-${architecture}`,
  files: [`${architecture}/memtest.bin`],
  run: async ([path = ""], how) => {
    const args = ["-m", String(MEMTEST_MIB), "-kernel", path, ...byCount(how)];
    const pc = new ScreenPc(targetOf(architecture), args, how);
    const seconds = await pc.shows(/Status: (Pass|Fail)/, 180);
    const text = await pc.text();
    const processor = (await pc.console.usage())?.cpuSeconds.toFixed(0) ?? "?";
    await pc.close();
    if (!/Pass: +[1-9].*Errors: +0\b/.test(text)) throw new Error(`memtest86+ found errors:\n${text}`);
    return `a pass of ${MEMTEST_MIB} MiB after ${seconds.toFixed(0)} s (${processor} s of processor time) without errors`;
  },
}));

const seabios = ARCHITECTURES.map((architecture): FirstScreen => ({
  name: `seabios-menu-${architecture}`,
  files: ["i386/grub-rescue.iso"],
  run: async ([path = ""], how) => {
    const args = ["-m", "64", "-boot", "menu=on,splash-time=60000", "-cdrom", path];
    const pc = new ScreenPc(targetOf(architecture), args, how);
    await pc.shows("Press ESC for boot menu", 5);
    await pc.keys("esc");
    const seconds = await pc.shows("Select boot device:", 5);
    const items = (await pc.text()).match(/^\d+\. .*$/gm) ?? [];
    const disc = items.findIndex((item) => item.includes("DVD"));
    if (disc < 0) throw new Error(`the menu has no disc: ${items.join("; ")}`);
    await pc.keys(String(disc + 1));
    await pc.shows("GNU GRUB", 10);
    await pc.close();
    return `${items.map((item) => item.slice(3)).join(", ")} after ${seconds.toFixed(0)} s; the disc's entry starts GRUB`;
  },
}));

const grub = [
  ["cdrom", "grub-rescue.iso", ["-boot", "d", "-cdrom"], "(cd)"],
  ["floppy", "grub-rescue-floppy.img", ["-boot", "a", "-fda"], "(fd0)"],
].map(([name, file, medium, disk]): FirstScreen => ({
  name: `grub-${name as string}`,
  files: [`i386/${file as string}`],
  run: async ([path = ""], how) => {
    const pc = new ScreenPc("x86_64", ["-m", "64", "-snapshot", ...(medium as string[]), path], how);
    await pc.shows("GNU GRUB", 10);
    await pc.keys("c");
    const seconds = await pc.shows("grub>", 2);
    await pc.keys("l", "s", "ret");
    await pc.shows(disk as string, 2);
    await pc.close();
    return `prompt after ${seconds.toFixed(0)} s, 'ls' shows ${disk as string}`;
  },
}));

export const FIRST_SCREENS: readonly FirstScreen[] = [...seabios, ...grub, ...ipxe, ...installers, ...memtest];

/** The paths of what a program needs, or undefined where `pnpm guests pc` has not run. */
export function filesOf(screen: FirstScreen): string[] | undefined {
  const paths = screen.files.map((file) => guest(file));
  return paths.every((path) => path !== undefined) ? paths : undefined;
}
