/** What a user or a guest does wrong, through the command line: one line that says what, status 1, no stack trace; guests go on. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble } from "@mimus/target-riscv";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Console } from "../lib/console.ts";
import { ask, bootEmbedded, powerOff } from "../lib/embedded-guest.ts";
import { runMimus, startMimus } from "../lib/mimus.ts";

const folder = mkdtempSync(join(tmpdir(), "mimus-bad-"));
let mounted: string | undefined;
afterEach(async () => {
  await Console.endAll();
  if (mounted !== undefined) execFileSync("umount", [mounted]);
  mounted = undefined;
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A 64-bit executable with one segment of four bytes. Source: System V ABI, "Object files". */
function elf(options: { machine?: number; fileSize?: bigint; memorySize?: bigint; address?: bigint } = {}): Uint8Array {
  const { machine = 243, fileSize = 4n, address = 0x8000_0000n } = options;
  const { memorySize = fileSize } = options;
  const bytes = new Uint8Array(124);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, machine, true);
  view.setBigUint64(24, address, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  for (const [at, value] of [
    [72, 120n],
    [80, address],
    [88, address],
    [96, fileSize],
    [104, memorySize],
  ] as const)
    view.setBigUint64(at, value, true);
  return bytes;
}

const disk = file("disk.img", new Uint8Array(2 ** 20));
const DRIVE = ["-drive", `if=none,id=d,format=raw,file=${disk}`];
const BOARD = ["-M", "virt", "-nographic", "-bios", "none"];
const kernel = (name: string, content: Uint8Array): string[] => [...BOARD, "-kernel", file(name, content)];

const CASES: readonly [what: string, args: readonly string[], message: RegExp][] = [
  ["a kernel that is missing", [...BOARD, "-kernel", "/no/such/kernel"], /'\/no\/such\/kernel': No such file/],
  ["a firmware that is missing", ["-M", "virt", "-nographic", "-bios", "/no/such/bios"], /-bios: Could not open '\/no\/such\/bios': No such file/],
  ["a kernel that is a folder", [...BOARD, "-kernel", folder], /Is a directory/],
  ["an empty kernel", kernel("empty", new Uint8Array()), /kernel: the file is empty/],
  ["a truncated ELF header", kernel("header.elf", elf().subarray(0, 40)), /kernel: truncated: 40 bytes/],
  ["truncated program headers", kernel("short.elf", elf().subarray(0, 100)), /truncated: program headers end at 120, the file at 100/],
  ["a truncated segment", kernel("cut.elf", elf().subarray(0, 122)), /truncated: segment 0 ends at 124, the file at 122/],
  ["an ELF file for another machine", kernel("x86.elf", elf({ machine: 62 })), /ELF machine 62, wanted 243 \(RISC-V\)/],
  ["a huge segment in the file", kernel("huge.elf", elf({ fileSize: 1n << 62n })), /truncated: segment 0/],
  ["a huge segment in memory", kernel("big.elf", elf({ memorySize: 1n << 40n })), /kernel needs .* RAM is .*-m/],
  ["a segment outside RAM", kernel("low.elf", elf({ address: 0n })), /kernel needs 0x0\.\.0x3, but RAM is/],
  ["an initrd larger than RAM", [...kernel("k", elf()), "-m", "16", "-initrd", file("initrd", new Uint8Array(2 ** 25))], /initrd of 33554432 bytes does not fit: .*-m/],
  ["a device tree that is none", [...BOARD, "-dtb", file("no.dtb", new Uint8Array(64))], /-dtb: not a flattened device tree: no d00dfeed/],
  ["an empty device tree", [...BOARD, "-dtb", file("empty.dtb", "")], /-dtb: device tree of 0 bytes has no header/],
  ["an unknown machine", ["-M", "vrit"], /no machine 'vrit'; did you mean 'virt'\?/],
  ["an unknown machine property", ["-M", "virt,aclnit=on"], /no property 'aclnit'; did you mean 'aclint'\?/],
  ["an unknown device", [...BOARD, "-device", "virtio-blk-devic"], /no device 'virtio-blk-devic'; did you mean 'virtio-blk-device'/],
  ["an unknown device property", [...BOARD, "-device", "virtio-rng-device,max-byte=1"], /no property 'max-byte'; did you mean 'max-bytes'\?/],
  ["a bad value", [...BOARD, "-device", "virtio-rng-device,max-bytes=lots"], /property 'max-bytes' is 'lots'; expected an integer/],
  ["an unknown CPU", [...BOARD, "-cpu", "rv46"], /unknown CPU model 'rv46' .* did you mean 'rv64'\?/],
  ["an unknown CPU property", [...BOARD, "-cpu", "rv64,zbx=on"], /no property 'zbx'; did you mean 'zba'/],
  ["a CPU without a model", [...BOARD, "-cpu", "zba=on"], /-cpu: needs a model before its properties/],
  ["a shared folder without a driver", [...BOARD, "-fsdev", "path=/"], /-fsdev without a driver: there is only 'local'/],
  ["a bad CPU value", [...BOARD, "-cpu", "rv64,zba=maybe"], /'zba' is 'maybe'; expected on or off/],
  ["an id that is no name", [...BOARD, "-device", "virtio-rng-device,id=1a"], /-device virtio-rng-device: id=1a: expected an identifier/],
  ["an object's id that is no name", [...BOARD, "-object", "rng-builtin,id=a/b"], /-object rng-builtin: id=a\/b: expected an identifier/],
  ["an I/O thread that is not there", [...BOARD, ...DRIVE, "-device", "virtio-blk-device,drive=d,iothread=t"], /there is no iothread 't'; there is none/],
  ["a failover pair", [...BOARD, "-device", "virtio-rng-pci,failover_pair_id=n"], /'failover_pair_id' is 'n'; there is no failover/],
  ["a PCI address that is none", [...BOARD, "-device", "virtio-rng-pci,addr=-1"], /'addr' is '-1'; expected a slot 0\.\.1f/],
  ["two users of the terminal", ["-M", "virt", "-display", "none", "-serial", "stdio", "-monitor", "stdio"], /-monitor: -serial is on stdio already; .*mon:stdio/],
  ["a network card without its other end", [...BOARD, "-device", "virtio-net-device,netdev="], /'netdev' is ''; expected the id of a -netdev/],
  ["two devices with one id", [...BOARD, "-device", "virtio-rng-device,id=a", "-device", "virtio-rng-device,id=a"], /already a device 'a'/],
  ["a bus that does not exist", [...BOARD, "-device", "virtio-rng-pci,bus=pcie.7"], /no bus 'pcie\.7'; there are: .*pcie\.0/],
  ["a drive used twice", [...BOARD, ...DRIVE, "-device", "virtio-blk-device,drive=d", "-device", "virtio-blk-device,drive=d"], /Drive 'd' is already used by/],
  ["an unknown drive", [...BOARD, ...DRIVE, "-device", "virtio-blk-device,drive=b"], /no drive 'b'; .*'?d'?/],
  ["no drive", [...BOARD, "-device", "virtio-blk-device"], /property 'drive' is not set/],
  ["a disk that is missing", [...BOARD, "-drive", "if=none,id=d,format=raw,file=/no/disk"], /'\/no\/disk': No such file/],
  ["an unknown image format", [...BOARD, "-drive", `if=none,id=d,format=rwa,file=${disk}`], /'rwa'; did you mean 'raw'\?/],
  ["too much memory", [...BOARD, "-m", "1000G"], /1024000 MiB of RAM do not fit: .*-m/],
  ["no memory", [...BOARD, "-m", "0"], /-m 0: a machine needs memory/],
  ["memory that is no size", [...BOARD, "-m", "lots"], /-m lots: expected a size such as/],
  ["no processors", [...BOARD, "-smp", "0"], /-smp: needs at least 1/],
  ["too many processors", [...BOARD, "-smp", "1000"], /takes 1\.\.512 CPUs, not 1000/],
  ["processors that are no number", [...BOARD, "-smp", "two"], /-smp two: expected a whole number/],
  ["an unknown option", [...BOARD, "-frobnicate"], /-frobnicate: invalid option/],
  ["an option without its argument", [...BOARD, "-kernel"], /-kernel: requires an argument/],
  ["an unknown accelerator", [...BOARD, "-accel", "kvm"], /-accel kvm: .*tcg/],
  ["an unknown character device", [...BOARD, "-chardev", "sokcet,id=a"], /'sokcet' .*socket/],
  ["a serial port to nowhere", [...BOARD, "-serial", "chardev:nope"], /no character device 'nope'/],
  ["tables of another board", [...BOARD, "-smbios", "type=0,vendor=x"], /-smbios: machine virt has no such tables/],
  ["dies on a board without", [...BOARD, "-smp", "2,dies=2"], /-smp dies=2: .* have no dies/],
  ["a node without its file", [...BOARD, "-blockdev", "file,node-name=a"], /file: option 'filename': it is missing/],
  ["an unknown log item", [...BOARD, "-d", "evrything"], /-d evrything: no such item; there are: .*guest_errors/],
]; // prettier-ignore

describe("the user is told in one line", () => {
  it.each(CASES)("%s", { timeout: 120_000 }, (_what, args, message) => {
    const { status, stderr, stdout } = runMimus(["system-riscv64", ...args]);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^mimus: [^\n]+\n$/);
    expect(stderr).not.toMatch(/internal error|\bat .*:\d+:\d+/);
    expect([status, stdout]).toEqual([1, ""]);
  });

  it.each([
    ["a command that there is not", ["imgg", "info"], /there is no command 'imgg'; did you mean 'img'\?; 'mimus -h' lists them/],
    ["a machine of an unknown kind", ["system-riscv46"], /no installed package has machines for 'riscv46'; did you mean 'riscv64'/],
    ["an option of plugins", ["plugins", "-x"], /plugins: unknown option '-x'/],
  ])("%s", { timeout: 120_000 }, (_what, args, message) => {
    const { status, stderr, stdout } = runMimus(args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^mimus: [^\n]+\n$/);
    expect([status, stdout]).toEqual([1, ""]);
  }); // prettier-ignore

  it("a flash drive of a PC that is not there", { timeout: 120_000 }, () => {
    const { status, stderr } = runMimus(["system-x86_64", "-M", "pc,pflash0=nope", "-display", "none"]);
    expect([status, stderr]).toEqual([1, "mimus: pflash0=nope: there is no drive 'nope'\n"]);
  });
});

function drive(path: string, more = ""): string[] {
  return ["-drive", `if=none,id=d,format=raw,file=${path}${more}`, "-device", "virtio-blk-device,drive=d"];
}

function image(name: string): string {
  return file(name, new Uint8Array(2 ** 20).fill(0x55));
}

describe("guests go on", { timeout: 120_000 }, () => {
  it("a disk that is read-only", async () => {
    const path = image("readonly.img");
    const console = await bootEmbedded("riscv64", ...drive(path, ",readonly=on"));
    expect(await ask(console, "fill 0 65")).toContain("the device refused: status 1\n");
    expect(await ask(console, "block 0")).toContain("UUUUUUUUUUUUUUUU");
    expect(await powerOff(console)).toBe(0);
    expect(readFileSync(path)[0]).toBe(0x55);
  });

  it("a disk that shrinks, and vanishes", async () => {
    const path = image("shrinking.img");
    const console = await bootEmbedded("riscv64", ...drive(path));
    truncateSync(path, 5120);
    expect(await ask(console, "block 100")).toContain("the device refused: status 1\n");
    const told = `mimus: '${path}' shrank while in use: it had 1048576 bytes and ends at 51200`;
    expect(console.log.split(told).length, "how often it is told, plus one").toBe(2);
    expect(await ask(console, "block 1")).toContain("UUUUUUUUUUUUUUUU");
    unlinkSync(path);
    expect(await ask(console, "fill 1 65")).not.toContain("refused");
    expect(await ask(console, "block 1")).toContain("AAAAAAAAAAAAAAAA");
    expect(await powerOff(console)).toBe(0);
  });

  it("a full host disk stops the machine until there is room", async ({ skip }) => {
    const small = join(folder, "small");
    mkdirSync(small);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", small]).status !== 0)
      skip("needs the right to mount a small tmpfs");
    mounted = small;
    const path = join(small, "disk.img");
    writeFileSync(path, "");
    truncateSync(path, 2 ** 20);
    const filler = join(small, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);
    expect(statSync(filler).size).toBeLessThanOrEqual(65536);

    const console = await bootEmbedded("riscv64", ...drive(path));
    await console.type("fill 0 65\r");
    await console.waitFor("No space left on device", 60_000);
    await console.type("\x01c");
    expect(await ask(console, "info status", "(qemu) ")).toBeDefined();
    await console.type("info status\r");
    await console.waitFor(/VM status: paused/, 60_000);
    unlinkSync(filler);
    await ask(console, "cont", "(qemu) ");
    await console.type("\x01c");
    expect(await ask(console, "block 0", "AAAAAAAAAAAAAAAA")).not.toContain("refused");
    expect(console.log.match(/^mimus: write of .*: No space left.*/gm)).toHaveLength(1);
    await ask(console, "");
    expect(await powerOff(console)).toBe(0);
  });

  it("a guest that goes nowhere: the monitor still answers", async () => {
    const source = "li t0, 0x60000000\n lw t1, 0(t0)\n jr t0";
    const program = file("nowhere.bin", assemble(source, { xlen: 64, origin: 0x8000_0000n }).bytes);
    const log = join(folder, "log");
    const d = ["-d", "guest_errors,unassigned,unimp", "-D", log];
    const running = startMimus(["system-riscv64", "-M", "virt", "-m", "64", "-nographic", "-bios", program, ...d]);
    await running.type("\x01c");
    await running.waitFor("(qemu) ", 60_000);
    await running.type("info status\r");
    await running.waitFor("VM status: running", 60_000);
    await running.type("info registers\r");
    await running.waitFor(/mcause {3}0000000000000001/, 60_000);
    await running.type("quit\r");
    expect(await running.exit(60_000)).toBe(0);
    expect(readFileSync(log, "utf8")).toMatch(/^unassigned: .*0x60000000$/m);
  });

  it("a paused machine waits, also without a terminal", async () => {
    const running = startMimus(["system-riscv64", ...BOARD, "-S"]);
    await running.type("\x01c");
    await running.waitFor("(qemu) ", 60_000);
    running.process.stdin?.end();
    await expect(running.waitFor("never", 2_000)).rejects.toThrow("2000 ms passed");
    running.kill("SIGTERM");
    expect(await running.exit(60_000)).toBe(0);
    expect(running.log).toContain("mimus: terminating on SIGTERM\n");
  });
});
