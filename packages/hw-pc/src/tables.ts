import type { MachineBuilder } from "@mimus/machine-core";
import { pcTables } from "./acpi/tables.ts";
import type { ConfigStore } from "./config.ts";
import type { Processor } from "./cpus.ts";
import { installed } from "./devices/place.ts";
import type { PcProps } from "./machine.ts";
import { GIB, HIGH_RAM } from "./memmap.ts";
import type { RamSplit } from "./memmap.ts";
import { smbiosFiles } from "./smbios/anchor.ts";
import { smbiosFields } from "./smbios/fields.ts";
import { smbiosStructures } from "./smbios/tables.ts";

/** Bytes of the PCI window above RAM. */
const HOLE64 = 2 * GIB;

/** ACPI tables and the script that links them. */
export function addAcpi(
  store: ConfigStore,
  m: MachineBuilder,
  p: PcProps,
  o: { split: RamSplit; processors: readonly Processor[]; hpet: boolean },
): void {
  const buses = m.buses().find((bus) => bus.name === "isa.0");
  const has = (type: string): boolean => buses?.children.some((d) => d.type.name === type) ?? false;
  const count = (type: string): number[] =>
    (buses?.children ?? []).filter((d) => d.type.name === type).map((d, i) => Number(d.values["index"] ?? i));
  const base = Math.ceil((HIGH_RAM + o.split.above) / GIB) * GIB;
  const files = pcTables(
    { id: p["x-oem-id"], tableId: p["x-oem-table-id"] },
    {
      isa: {
        i8042: has("i8042"),
        rtc: has("mc146818rtc"),
        floppy: has("isa-fdc"),
        serials: count("isa-serial"),
        parallels: count("isa-parallel"),
        pvpanic: has("pvpanic"),
      },
      hpet: o.hpet && installed(m, "hpet"),
      apicIds: o.processors.map((cpu) => cpu.apicId),
      pciHole: o.split.below,
      pciHole64: { base, size: HOLE64 },
      disableS3: false,
      disableS4: false,
    },
    m.options.acpiTables ?? [],
  );
  store.addFile({ name: "etc/acpi/tables", bytes: files.tables });
  store.addFile({ name: "etc/acpi/rsdp", bytes: files.rsdp });
  store.addFile({ name: "etc/table-loader", bytes: files.loader });
}

/** SMBIOS tables. */
export function addSmbios(
  store: ConfigStore,
  m: MachineBuilder,
  p: PcProps,
  o: { split: RamSplit; processors: readonly Processor[]; machine: string; summary: string },
): void {
  const { options } = m;
  const t = options.topology ?? { sockets: 1, dies: 1, cores: options.cpus, threads: 1 };
  const [eax = 0, , , edx = 0] = o.processors[0]?.board.config.cpuid(1, 0) ?? [];
  const structures = smbiosStructures(
    {
      manufacturer: "QEMU",
      product: o.summary,
      version: o.machine,
      uuid: options.uuid,
      ram: o.split,
      sockets: t.sockets * t.dies,
      cores: t.cores,
      threads: t.threads,
      cpuid: [eax, edx],
    },
    smbiosFields(options.smbios ?? []),
  );
  const { tables, anchor } = smbiosFiles(structures, p["smbios-entry-point-type"]);
  store.addFile({ name: "etc/smbios/smbios-tables", bytes: tables });
  store.addFile({ name: "etc/smbios/smbios-anchor", bytes: anchor });
}
