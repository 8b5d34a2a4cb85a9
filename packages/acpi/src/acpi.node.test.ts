/** Needs Node: `iasl`, where it is installed, judges the tables. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import * as a from "./index.ts";

const OEM = { id: "MIMUS", tableId: "TEST" };
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("AML", () => {
  it.each([
    [0, "00"],
    [1, "01"],
    [0xff, "0aff"],
    [0x100, "0b0001"],
    [0x10000, "0c00000100"],
    [2 ** 32, "0e0000000001000000"],
  ])("integer %i", (value, bytes) => expect(hex(a.integer(value))).toBe(bytes));

  it.each([
    ["_SB", "5f53425f"],
    ["\\_SB.PCI0", "5c2e5f53425f50434930"],
    ["^A.B.C", "5e2f03415f5f5f425f5f5f435f5f5f"],
    ["\\", "5c00"],
  ])("name %s", (path, bytes) => expect(hex(a.nameString(path))).toBe(bytes));

  it("refuses what is no name, number or text", () => {
    expect(() => a.nameSeg("lower")).toThrow(/no AML name/);
    expect(() => a.nameSeg("1ABC")).toThrow(/first one no digit/);
    expect(() => a.integer(-1)).toThrow(a.AcpiError);
    expect(() => a.eisaId("PNP03")).toThrow(/EISA/);
    expect(() => a.string("ü")).toThrow(/ASCII/);
  });

  it("lengths of packages grow by the byte", () => {
    expect(hex(a.pkgLength(0x3e))).toBe("3f");
    expect(hex(a.pkgLength(0x3f))).toBe("4104");
    expect(hex(a.pkgLength(0x1000))).toBe("830001");
    expect(hex(a.eisaId("PNP0A03"))).toBe("0c41d00a03");
  });
});

describe("tables", () => {
  it("links every pointer and leaves the sums to the loader", () => {
    const files = a.acpiFiles(OEM, {
      facs: a.facs(),
      dsdt: a.table("DSDT", 1, OEM),
      fadt: a.fadt(OEM, {
        sci: 9, smiCommand: 0xb2, enable: 1, disable: 0, pm1Event: 0x600, pm1Control: 0x604, timer: 0x608, gpe0: 0xafe0,
        gpe0Length: 4, century: 0x32, flags: 0,
      }), // prettier-ignore
      others: [a.madt(OEM, 0xfee00000, [a.madtEntry.localApic(0, 0, true)])],
    });
    const at = { high: 0x7f0000, fseg: 0xf6000 };
    const { tables, rsdp } = run(files, at);
    expect(Buffer.from(rsdp.subarray(0, 8)).toString()).toBe("RSD PTR ");
    expect(a.sumIsRight(rsdp)).toBe(true);
    const view = new DataView(tables.buffer, tables.byteOffset);
    const rsdtAt = new DataView(rsdp.buffer).getUint32(16, true) - at.high;
    const rsdt = tables.subarray(rsdtAt, rsdtAt + view.getUint32(rsdtAt + 4, true));
    expect([Buffer.from(rsdt.subarray(0, 4)).toString(), a.sumIsRight(rsdt)]).toEqual(["RSDT", true]);
    const names: string[] = [];
    for (let i = a.HEADER_SIZE; i < rsdt.length; i += 4) {
      const start = view.getUint32(rsdtAt + i, true) - at.high;
      const found = tables.subarray(start, start + view.getUint32(start + 4, true));
      names.push(Buffer.from(found.subarray(0, 4)).toString());
      expect(a.sumIsRight(found)).toBe(true);
    }
    expect(names).toEqual(["FACP", "APIC"]);
    expect(view.getUint32(64 + 36 + a.FADT_POINTERS.dsdt, true) - at.high).toBe(64);
  });
});

/** Does what the guest's firmware does with the script. */
function run(files: a.AcpiFiles, at: { high: number; fseg: number }): { tables: Uint8Array; rsdp: Uint8Array } {
  const memory = new Map<string, { bytes: Uint8Array; address: number }>();
  const content: Record<string, Uint8Array> = { "etc/acpi/tables": files.tables, "etc/acpi/rsdp": files.rsdp };
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1").replace(/\0.*$/s, "");
  for (let i = 0; i < files.loader.length; i += 128) {
    const c = files.loader.slice(i, i + 128);
    const v = new DataView(c.buffer);
    const name = text(c.subarray(4, 60));
    const code = v.getUint32(0, true);
    if (code === 1) {
      memory.set(name, { bytes: content[name]!.slice(), address: c[64] === 1 ? at.high : at.fseg });
      continue;
    }
    const file = memory.get(name)!.bytes;
    const view = new DataView(file.buffer);
    if (code === 2) {
      const where = v.getUint32(116, true);
      view.setUint32(where, view.getUint32(where, true) + memory.get(text(c.subarray(60, 116)))!.address, true);
    } else {
      const [to, start, length] = [60, 64, 68].map((k) => v.getUint32(k, true)) as [number, number, number];
      file[to] = (file[to]! - file.subarray(start, start + length).reduce((n, b) => n + b, 0)) & 0xff;
    }
  }
  return { tables: memory.get("etc/acpi/tables")!.bytes, rsdp: memory.get("etc/acpi/rsdp")!.bytes };
}

function iasl(): boolean {
  try {
    execFileSync("iasl", ["-v"], { stdio: "ignore" });
    return true;
  } catch {
    return process.env["CI"] === "true";
  }
}

describe.skipIf(!iasl())("iasl (Debian: acpica-tools)", () => {
  it("decompiles a table and compiles it again without a warning", () => {
    const folder = mkdtempSync(join(tmpdir(), "mimus-acpi-"));
    try {
      const body = [
        a.scope(
          "\\_SB",
          a.device(
            "DEV0",
            a.name("_HID", a.eisaId("PNP0C02")),
            a.name(
              "_CRS",
              a.resources(a.io(0x10, 4), a.irq(3, 4), a.dma(1), a.memory32Fixed(0xfed00000, 0x400), a.interrupt([5])),
            ),
            a.operationRegion("REG0", "io", 0x402, 4),
            a.field("REG0", { width: "byte" }, [
              ["AAA", 4],
              ["", 4],
              ["BBB", 8],
            ]),
            a.mutex("MUTX"),
            a.method(
              "TEST",
              2,
              true,
              a.acquire("MUTX"),
              a.store(0, a.local(0)),
              a.loop(
                a.less(a.local(0), a.arg(0)),
                a.when(a.logicalAnd(a.greater(a.arg(1), 3), a.not(a.local(0))), a.store(a.arg(1), a.ref("AAA"))),
                a.otherwise(a.xor(a.ref("AAA"), a.shiftLeft(1, a.local(0)), a.ref("BBB"))),
                a.increment(a.local(0)),
              ),
              a.release("MUTX"),
              a.notify("\\_SB.DEV0", 1),
              a.returns(a.or(a.and(a.local(0), 3), a.shiftRight(a.add(a.arg(0), 1), a.subtract(a.arg(1), 1)))),
            ),
          ),
        ),
        a.name("\\_S5", a.pkg(0, 0, 0, 0)),
      ];
      const table = a.table("DSDT", 2, OEM, ...body);
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
      expect(hex(again.subarray(a.HEADER_SIZE))).toBe(hex(table.subarray(a.HEADER_SIZE)));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
