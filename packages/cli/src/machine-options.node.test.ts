/** Options that say the same in two ways, and what firmware is given as files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";

import { parseArguments } from "./args/parse.ts";
import { machineConfig, type MachineConfig } from "./config.ts";

const directory = mkdtempSync(join(tmpdir(), "mimus-options-"));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, ...bytes: number[]): string {
  const path = join(directory, name);
  writeFileSync(path, Uint8Array.from(bytes));
  return path;
}

const config = (...argv: string[]): MachineConfig => machineConfig(parseArguments(argv));

describe("properties of every machine", () => {
  it("are options by another name", () => {
    const c = config("-M", "pc,kernel=k,initrd=i,append=a b,dtb=d,firmware=f,boot.order=d,smp.cpus=2,memory.size=256M");
    expect(c.boot).toEqual({ kernel: "k", initrd: "i", append: "a b", dtb: "d", bios: "f" });
    expect([c.board.bootOrder, c.cpus, c.ram, c.machine]).toEqual(["d", 2, 256 * 2 ** 20, { type: "pc" }]);
  });
  it("stand beside the options", () => {
    const c = config("-M", "pc,boot.menu=on,smp.maxcpus=4,kernel=x", "-boot", "d", "-smp", "2", "-kernel", "y");
    expect([c.board.bootOrder, c.bootMenu, c.cpus, c.board.topology?.maxCpus, c.boot.kernel]).toEqual([
      "d",
      true,
      2,
      4,
      "y",
    ]);
  });
  it("that mean nothing here are checked and left away", () => {
    expect(config("-M", "pc,dump-guest-core=off,mem-merge=on,suppress-vmdesc=on").machine).toEqual({ type: "pc" });
    expect(() => config("-M", "pc,mem-merge=maybe")).toThrow("-M mem-merge=maybe: expected on or off");
  });
  it("memory may be an object", () => {
    const object = ["-object", "memory-backend-ram,id=ram,size=64M"];
    const c = config("-M", "pc,memory-backend=ram", ...object);
    expect([c.ram, c.objects]).toEqual([64 * 2 ** 20, []]);
    expect(config("-M", "pc,memory-backend=ram", "-m", "64", ...object).ram).toBe(64 * 2 ** 20);
    expect(() => config("-M", "pc,memory-backend=ram", "-m", "65", ...object)).toThrow("has 67108864 bytes");
    expect(() => config("-M", "pc,memory-backend=other", ...object)).toThrow("there is no -object with this id");
  });
});

it("a CPU has a model number beside its model", () => {
  expect(config("-cpu", "kvm64,family=6,model=3").cpu).toEqual({ "": "kvm64", family: "6", model: "3" });
});

describe("files for firmware", () => {
  const plain = ({ name, bytes }: { name: string; bytes: Uint8Array }): unknown => ({ name, bytes: [...bytes] });
  it("option ROMs by their names", () => {
    const path = file("card.rom", 0x55, 0xaa, 1);
    expect(config("-option-rom", path).board.configFiles?.map(plain)).toEqual([
      { name: "genroms/card.rom", bytes: [0x55, 0xaa, 1] },
    ]);
    expect(() => config("-option-rom", join(directory, "none"))).toThrow("-option-rom");
    expect(() => config("-option-rom", `${path},bootindex=1`)).toThrow("invalid parameter 'bootindex'");
  });
  it("a picture by its kind", () => {
    const names = (path: string): string[] | undefined =>
      config("-boot", `menu=on,splash=${path}`).board.configFiles?.map(({ name }) => name);
    expect(names(file("a", 0xff, 0xd8, 0xff))).toEqual(["bootsplash.jpg"]);
    expect(names(file("b", 0x42, 0x4d))).toEqual(["bootsplash.bmp"]);
    expect(() => names(file("c", 0x89, 0x50))).toThrow("neither JPEG nor BMP");
  });
});

it("a debug console is a device at port E9h", () => {
  const c = config("-debugcon", "file:/tmp/x");
  expect(c.devices).toEqual([{ driver: "isa-debugcon", chardev: "debugcon", iobase: "0xe9" }]);
  expect(c.chardevs).toMatchObject([{ id: "debugcon", config: { backend: "file" } }]);
  expect(config("-debugcon", "chardev:c").devices).toEqual([{ driver: "isa-debugcon", chardev: "c", iobase: "0xe9" }]);
  expect(config("-debugcon", "none").devices).toEqual([]);
});
