/** Needs Node: firmware files of the computer, and `iasl`, where they are installed. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Drive } from "@mimus/block";
import { describe, expect, it } from "vitest";

import { pcTables } from "./acpi/tables.ts";
import type { AcpiMachine } from "./acpi/dsdt.ts";
import { dsdt } from "./acpi/dsdt.ts";
import { kernelImage, refuseDeviceTree } from "./boot/kernel.ts";
import { bootRom } from "./boot/rom.ts";
import { CMOS, setBootOrder, setDisks, setEquipment, setMemory } from "./cmos.ts";
import { e820 } from "./config.ts";
import { placeDrive } from "./drives.ts";
import { apicIdOf, splitRam } from "./index.ts";
import { smbiosFiles } from "./smbios/anchor.ts";
import { smbiosFields } from "./smbios/fields.ts";
import { smbiosStructures } from "./smbios/tables.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const OEM = { id: "BOCHS ", tableId: "BXPC    " };
const FULL: AcpiMachine = {
  isa: { i8042: true, rtc: true, floppy: true, serials: [0, 1, 2, 3], parallels: [0, 1, 2], pvpanic: true },
  hpet: true,
  apicIds: [0, 1, 2, 3],
  pciHole: 128 * MIB,
  pciHole64: { base: 4 * GIB, size: 2 * GIB },
  disableS3: false,
  disableS4: false,
};

describe("memory", () => {
  it.each([
    [128 * MIB, 0, 128 * MIB, 0],
    [3.25 * GIB, 0, 3.25 * GIB, 0],
    [3.5 * GIB, 0, 3 * GIB, 0.5 * GIB],
    [8 * GIB, 0, 3 * GIB, 5 * GIB],
    [2 * GIB, GIB, GIB, GIB],
    [3.75 * GIB, 4 * GIB, 3.75 * GIB, 0],
  ])("of %i bytes, limit %i", (ram, limit, below, above) => expect(splitRam(ram, limit)).toEqual({ below, above }));

  it("is told to firmware", () => {
    const map = e820({ below: 3 * GIB, above: GIB });
    const view = new DataView(map.buffer);
    expect([map.length, view.getUint32(8, true), view.getUint32(24, true), view.getUint32(36, true)]).toEqual([
      40,
      3 * GIB,
      1,
      1,
    ]);
    const cmos = fakeCmos();
    setMemory(cmos, { below: 3 * GIB, above: GIB }, 4);
    expect(cmos.at(CMOS.baseMemory) + 256 * cmos.at(CMOS.baseMemory + 1)).toBe(640);
    expect(cmos.at(CMOS.above16M) + 256 * cmos.at(CMOS.above16M + 1)).toBe((3 * GIB - 16 * MIB) / 65536);
    expect(cmos.at(CMOS.above4G) + 256 * cmos.at(CMOS.above4G + 1)).toBe(GIB / 65536);
    expect(cmos.at(CMOS.cpus)).toBe(3);
  });
});

function fakeCmos(): { setCmos(i: number, v: number): void; cmos(i: number): number; at(i: number): number } {
  const bytes = new Uint8Array(128);
  const at = (i: number): number => bytes[i]!;
  return { setCmos: (i, v) => void (bytes[i] = v), cmos: at, at };
}

describe("CMOS", () => {
  it("boot order", () => {
    const cmos = fakeCmos();
    setBootOrder(cmos, "cad");
    expect([cmos.at(CMOS.bootOrder), cmos.at(CMOS.bootFlags)]).toEqual([0x12, 0x30]);
    setBootOrder(cmos, "cad", false);
    expect(cmos.at(CMOS.bootFlags), "without a look at the floppy's signature").toBe(0x31);
    expect(() => setBootOrder(cmos, "x")).toThrow(/no boot device 'x'/);
    expect(() => setBootOrder(cmos, "cadn")).toThrow(/at most 3/);
  });
  it("drives", () => {
    const cmos = fakeCmos();
    setEquipment(cmos, [4, 0]);
    expect([cmos.at(CMOS.floppy), cmos.at(CMOS.equipment)]).toEqual([0x40, 0x07]);
    setDisks(cmos, [{ cylinders: 16383, heads: 16, sectors: 63 }, undefined]);
    expect([cmos.at(CMOS.disks), cmos.at(CMOS.disk0Type), cmos.at(CMOS.diskTranslation)]).toEqual([0xf0, 47, 1]);
  });
});

it("APIC ids leave room for a power of two of each part", () => {
  const ids = (cores: number, threads: number, n: number): number[] =>
    Array.from({ length: n }, (_, i) => apicIdOf(i, { cores, threads, dies: 1 }));
  expect(ids(4, 1, 4)).toEqual([0, 1, 2, 3]);
  expect(ids(3, 2, 12)).toEqual([0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]);
});

describe("drives", () => {
  const drive = (more: Partial<Drive>): Drive =>
    ({ id: "d", interface: "ide", media: "disk", bus: undefined, unit: undefined, index: undefined, ...more }) as Drive;
  it("go to the first free place, or where they say", () => {
    const first = drive({});
    expect(placeDrive(first, [])).toEqual({ driver: "ide-hd", bus: "ide.0", props: { drive: "d", unit: 0 } });
    expect(placeDrive(drive({}), [first])?.props).toMatchObject({ unit: 1 });
    expect(placeDrive(drive({ index: 2, media: "cdrom" }), [])).toMatchObject({ driver: "ide-cd", bus: "ide.1" });
    expect(placeDrive(drive({ interface: "floppy" }), [first])?.driver).toBe("floppy");
    expect(placeDrive(drive({ interface: "virtio" }), [])).toBeUndefined();
  });
  it("refuses a place that there is not", () => {
    expect(() => placeDrive(drive({ index: 4 }), [])).toThrow(/no ide bus 2/);
    expect(() => placeDrive(drive({ interface: "floppy", index: 2 }), [])).toThrow(/no floppy bus 1/);
  });
});

function iasl(): boolean {
  try {
    execFileSync("iasl", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return process.env["CI"] === "true";
  }
}

describe.skipIf(!iasl())("iasl (Debian: acpica-tools)", () => {
  it.each([
    ["everything", FULL],
    [
      "as little as there is",
      {
        ...FULL,
        isa: { i8042: false, rtc: false, floppy: false, serials: [], parallels: [], pvpanic: false },
        hpet: false,
        pciHole64: undefined,
        disableS3: true,
        disableS4: true,
      },
    ],
  ] as const)("decompiles and recompiles the DSDT without a warning: %s", (_, machine) => {
    const folder = mkdtempSync(join(tmpdir(), "mimus-dsdt-"));
    try {
      const table = dsdt(OEM, machine);
      writeFileSync(join(folder, "t.dat"), table);
      const options = {
        cwd: folder,
        encoding: "utf8" as const,
        stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"],
      };
      execFileSync("iasl", ["-d", "t.dat"], options);
      const text = execFileSync("iasl", ["-oa", "t.dsl"], options);
      expect(text).toContain("0 Errors, 0 Warnings");
      const again = readFileSync(join(folder, "t.aml"));
      expect(again.subarray(36).equals(table.subarray(36))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("reads every other table", () => {
    const folder = mkdtempSync(join(tmpdir(), "mimus-tables-"));
    try {
      const { tables } = pcTables(OEM, FULL, []);
      for (let at = 64; at < tables.length;) {
        const size = new DataView(tables.buffer, at).getUint32(4, true);
        const name = Buffer.from(tables.subarray(at, at + 4)).toString();
        writeFileSync(join(folder, `${name}.dat`), tables.subarray(at, at + size));
        at += size;
        if (name === "RSDT" || name === "DSDT") continue;
        execFileSync("iasl", ["-d", `${name}.dat`], { cwd: folder, stdio: "ignore" });
        const text = readFileSync(join(folder, `${name}.dsl`), "latin1");
        expect(text).not.toMatch(/Invalid|Unknown|\*\*\*\*/);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("SMBIOS", () => {
  const machine = {
    manufacturer: "QEMU", product: "PC", version: "1", uuid: undefined, ram: { below: 3 * GIB, above: 17 * GIB },
    sockets: 2, cores: 2, threads: 1, cpuid: [0x60fb1, 0x78bfbfd] as const,
  }; // prettier-ignore
  const types = (list: readonly Uint8Array[]): number[] => list.map((s) => s[0]!);

  it("has the structures of a PC, and its entry points add up", () => {
    const list = smbiosStructures(machine, smbiosFields([]));
    expect(types(list)).toEqual([1, 3, 4, 4, 16, 17, 17, 19, 19, 32, 127]);
    for (const s of list) expect([s.at(-1), s.at(-2)]).toEqual([0, 0]);
    for (const kind of ["32", "64"] as const) {
      const { anchor } = smbiosFiles(list, kind);
      expect(anchor.reduce((n, b) => n + b, 0) & 0xff).toBe(0);
    }
  });

  it("takes fields and whole structures", () => {
    const own = Uint8Array.of(200, 4, 0, 0x90, 0, 0);
    const list = smbiosStructures(
      machine,
      smbiosFields([
        { type: "0", vendor: "me" },
        { type: "1", serial: "S1", uuid: "00112233-4455-6677-8899-aabbccddeeff" },
        { file: own },
      ]),
    );
    expect(types(list).slice(0, 2)).toEqual([0, 1]);
    expect(Buffer.from(list[1]!).toString("latin1")).toContain("S1\0");
    expect(Buffer.from(list[1]!.subarray(8, 24)).toString("hex")).toBe("33221100554477668899aabbccddeeff");
    expect(types(list)).toContain(200);
    expect(() => smbiosFields([{ type: "1", colour: "red" }])).toThrow(/no field 'colour'; there are: manufacturer/);
    expect(() => smbiosFields([{ type: "99" }])).toThrow(/types 0, 1/);
    expect(() => smbiosFields([{ type: "" }])).toThrow(/-smbios type=: fields can be set for types 0, 1/);
    const [cpu] = smbiosStructures(machine, smbiosFields([{ type: "4", "processor-id": "0x123456789a" }])).filter(
      (s) => s[0] === 4,
    );
    expect(Buffer.from(cpu!.subarray(8, 16)).toString("hex"), "processor ID").toBe("9a78563412000000");
    expect(() => smbiosFiles([new Uint8Array(0x10000)], "32")).toThrow(/the tables have 65536 bytes/);
    for (const [type, key, value, why] of [
      ["4", "max-speed", "x", "expected a whole number from 0 to 65535"],
      ["17", "speed", "99999", "expected a whole number from 0 to 65535"],
      ["8", "port_type", "256", "expected a whole number from 0 to 255"],
      ["4", "processor-id", "x", "expected a whole number"],
      ["0", "release", "x", "expected two numbers of 0 to 255"],
      ["0", "release", "300.1", "expected two numbers of 0 to 255"],
      ["0", "uefi", "x", "expected on or off"],
    ] as const)
      expect(() => smbiosFields([{ type, [key]: value }])).toThrow(`-smbios type=${type},${key}=${value}: ${why}`);
    smbiosFields([
      { type: "0", release: "1.255", uefi: "on", version: "x" },
      { type: "4", "processor-id": "0x1234" },
      { type: "17", speed: "0xffff" },
    ]);
  });
});

describe("kernels", () => {
  const base = { initrd: undefined, append: "console=ttyS0", lowRam: 64 * MIB };

  it("the option ROM has a header, and its bytes add up to 0", () => {
    for (const mode of ["linux", "multiboot", "pvh"] as const) {
      const rom = bootRom(mode);
      expect([rom[0], rom[1], rom[2]! * 512]).toEqual([0x55, 0xaa, rom.length]);
      expect(rom.reduce((n, b) => n + b, 0) & 0xff).toBe(0);
      const pnp = rom.subarray(rom[0x1a]!, rom[0x1a]! + 32);
      expect(Buffer.from(pnp.subarray(0, 4)).toString()).toBe("$PnP");
      expect(pnp.reduce((n, b) => n + b, 0) & 0xff).toBe(0);
    }
  });

  function bzImage(version = 0x20f): Uint8Array {
    const bytes = new Uint8Array(0x10000).fill(0x90);
    const view = new DataView(bytes.buffer);
    bytes[0x1f1] = 7;
    view.setUint32(0x202, 0x53726448, true);
    view.setUint16(0x206, version, true);
    bytes[0x211] = 1;
    view.setUint32(0x22c, 0x7fffffff, true);
    view.setUint32(0x238, 2047, true);
    return bytes;
  }

  it("places Linux, its initrd below what firmware keeps, and its command line", () => {
    const image = kernelImage({ ...base, kernel: bzImage(), initrd: new Uint8Array(10000) });
    expect([image.mode, image.setup.bytes.length, image.kernel.address]).toEqual(["linux", 4096, 0x100000]);
    const view = new DataView(image.setup.bytes.buffer);
    expect(view.getUint32(0x228, true)).toBe(image.commandLine.address);
    expect(view.getUint32(0x21c, true)).toBe(10000);
    const initrd = view.getUint32(0x218, true);
    expect([initrd, initrd % 4096]).toEqual([image.initrd?.address, 0]);
    expect(initrd + 10000).toBeLessThanOrEqual(64 * MIB - 0x80000);
  });

  it("has no use for a device tree", () => {
    expect(() => refuseDeviceTree(new Uint8Array(40))).toThrow("-dtb: a PC has no device tree");
    expect(() => refuseDeviceTree(undefined)).not.toThrow();
  });
  it("refuses what does not fit", () => {
    const initrd = new Uint8Array(64 * MIB);
    expect(() => kernelImage({ ...base, kernel: bzImage(), initrd })).toThrow(/more memory/);
    expect(() => kernelImage({ ...base, kernel: bzImage(), append: "x".repeat(3000) })).toThrow(/takes 2047/);
    expect(() => kernelImage({ ...base, kernel: new Uint8Array(100) })).toThrow(/no kernel/);
  });

  it("takes a multiboot kernel with addresses in its header, and its modules", () => {
    const kernel = new Uint8Array(0x3000);
    const view = new DataView(kernel.buffer);
    const [at, flags] = [0x100, 0x10003];
    for (const [i, v] of [
      0x1badb002,
      flags,
      -(0x1badb002 + flags) >>> 0,
      0x200100,
      0x200000,
      0x203000,
      0x210000,
      0x200010,
    ].entries())
      view.setUint32(at + 4 * i, v, true);
    const image = kernelImage({ ...base, kernel, initrd: new Uint8Array(5) });
    expect([image.mode, image.entry, image.kernel.address, image.kernel.bytes.length]).toEqual([
      "multiboot",
      0x200010,
      0x200000,
      0x10000,
    ]);
    expect(image.initrd?.address).toBe(0x210000);
    const info = new DataView(image.setup.bytes.buffer);
    expect([info.getUint32(0, true), info.getUint32(20, true)]).toEqual([0x24d, 1]);
    view.setUint32(at + 16, 0x300000, true);
    expect(() => kernelImage({ ...base, kernel })).toThrow(/do not fit the file/);
  });

  it("takes an ELF file with a PVH entry point, refuses one without", () => {
    const elf = elfWith(18);
    const image = kernelImage({ ...base, kernel: elf });
    expect([image.mode, image.entry, image.kernel.address]).toEqual(["pvh", 0x100040, 0x100000]);
    expect(() => kernelImage({ ...base, kernel: elfWith(5) })).toThrow(/neither a multiboot header nor a PVH/);
    expect(() => kernelImage({ ...base, kernel: elf.slice(0, 0x60) })).toThrow(/cut off/);
    const greedy = elf.slice();
    new DataView(greedy.buffer).setUint32(greedy[4] === 2 ? 64 + 40 : 52 + 20, 0x7f00_0000, true);
    expect(() => kernelImage({ ...base, kernel: greedy })).toThrow(/needs RAM up to 0x7f/);
    const endless = elf.slice();
    new DataView(endless.buffer).setUint16(endless[4] === 2 ? 56 : 44, 0xffff, true);
    expect(() => kernelImage({ ...base, kernel: endless })).toThrow(/65535 program headers/);
  });

  it("keeps of an ELF file what is in the file, however far apart its segments lie", () => {
    const elf = elfWith(18);
    const view = new DataView(elf.buffer);
    // The headers again, elsewhere: one more segment fits behind them.
    elf.copyWithin(0x400, 64, 64 + 2 * 56);
    elf.copyWithin(0x400 + 2 * 56, 64, 64 + 56);
    view.setUint32(32, 0x400, true);
    view.setUint16(56, 3, true);
    const far = 0x400 + 2 * 56;
    for (const at of [16, 24]) view.setUint32(far + at, 0x1f000000, true);
    view.setUint32(far + 40, 0x1000, true);
    elf.fill(7, 0x1000, 0x1800);
    const before = process.memoryUsage().arrayBuffers;
    const { kernel } = kernelImage({ ...base, lowRam: 512 * MIB, kernel: elf });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
    expect([kernel.address, kernel.bytes.length]).toEqual([0x100000, 0x1f001000 - 0x100000]);
    const part = (at: number): number[] => {
      const into = new Uint8Array(2).fill(9);
      kernel.bytes.copyTo(at - kernel.address, into);
      return [...into];
    };
    expect([part(0x100000), part(0x1007ff), part(0x800000), part(0x1effffff), part(0x1f0007ff)]).toEqual([
      [7, 7],
      [7, 0],
      [0, 0],
      [0, 7],
      [7, 0],
    ]);
  });

  it("keeps of a multiboot kernel what is in the file, however much it wants zeroed", () => {
    const kernel = new Uint8Array(0x3000).fill(5);
    const view = new DataView(kernel.buffer);
    const flags = 0x10003;
    const fields = [0x1badb002, flags, -(0x1badb002 + flags), 0x200100, 0x200000, 0x203000, 0x1f000000, 0x200010];
    fields.forEach((value, i) => view.setInt32(0x100 + 4 * i, value, true));
    const before = process.memoryUsage().arrayBuffers;
    const image = kernelImage({ ...base, lowRam: 512 * MIB, kernel });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
    expect(image.kernel.bytes.length).toBe(0x1f000000 - 0x200000);
  });
});

/** A 64-bit ELF file with one loaded segment and one note. */
function elfWith(type: number): Uint8Array {
  const bytes = new Uint8Array(0x2000);
  const v = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  v.setUint16(18, 62, true);
  v.setUint32(24, 0x100000, true);
  v.setUint32(32, 64, true);
  v.setUint16(54, 56, true);
  v.setUint16(56, 2, true);
  const header = (at: number, kind: number, offset: number, address: number, size: number): void => {
    v.setUint32(at, kind, true);
    v.setUint32(at + 8, offset, true);
    v.setUint32(at + 16, address, true);
    v.setUint32(at + 24, address, true);
    v.setUint32(at + 32, size, true);
    v.setUint32(at + 40, size, true);
  };
  header(64, 1, 0x1000, 0x100000, 0x800);
  header(120, 4, 0x200, 0, 24);
  v.setUint32(0x200, 4, true);
  v.setUint32(0x204, 4, true);
  v.setUint32(0x208, type, true);
  bytes.set([0x58, 0x65, 0x6e, 0], 0x20c);
  v.setUint32(0x210, 0x100040, true);
  return bytes;
}
