import type { MachineOptions } from "@mimus/machine-core";
import type { Processor } from "./cpus.ts";
import { HIGH_RAM, HPET_BASE } from "./memmap.ts";
import type { RamSplit } from "./memmap.ts";

/** Bytes that are put together where they are wanted. */
interface ConfigContent {
  readonly length: number;
  copyTo(from: number, into: Uint8Array): void;
}

/** What the board adds to the firmware configuration device. */
export interface ConfigStore {
  add(key: number, bytes: Uint8Array | ConfigContent): void;
  addU16(key: number, value: number): void;
  addU32(key: number, value: number): void;
  addFile(file: { name: string; bytes: Uint8Array; written?: (offset: number, length: number) => void }): void;
}

/** Selector keys. Source: QEMU, docs/specs/fw_cfg, "Firmware Configuration Items"; 0x8000 and up are of x86 alone. */
export const KEY = {
  uuid: 0x02,
  ramSize: 0x03,
  nographic: 0x04,
  cpus: 0x05,
  kernelAddress: 0x07,
  kernelSize: 0x08,
  initrdAddress: 0x0a,
  initrdSize: 0x0b,
  numa: 0x0d,
  bootMenu: 0x0e,
  maxCpus: 0x0f,
  kernelEntry: 0x10,
  kernelData: 0x11,
  initrdData: 0x12,
  cmdlineAddress: 0x13,
  cmdlineSize: 0x14,
  cmdlineData: 0x15,
  setupAddress: 0x16,
  setupSize: 0x17,
  setupData: 0x18,
  acpiTables: 0x8000,
  irq0Override: 0x8002,
  hpet: 0x8004,
} as const;

/** Kinds of address ranges. Source: ACPI 6.4, 15.4 "E820 assumptions and limitations". */
const E820 = { ram: 1, reserved: 2 } as const;

/** Writes little-endian fields one behind the other. */
class Fields {
  readonly #bytes: number[] = [];
  put(size: 1 | 2 | 4 | 8, value: number): this {
    let rest = value;
    for (let i = 0; i < size; i++) {
      this.#bytes.push((rest % 256) & 0xff);
      rest = Math.floor(rest / 256);
    }
    return this;
  }
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** The memory map for firmware: address, length, kind, 20 bytes each. */
export function e820(ram: RamSplit): Uint8Array {
  const fields = new Fields();
  fields.put(8, 0).put(8, ram.below).put(4, E820.ram);
  if (ram.above > 0) fields.put(8, HIGH_RAM).put(8, ram.above).put(4, E820.ram);
  return fields.bytes;
}

/** Items that every PC has. */
export function addConfigItems(
  store: ConfigStore,
  o: MachineOptions,
  m: {
    ram: RamSplit;
    processors: readonly Processor[];
    apicIdLimit: number;
    hpet: boolean;
    disableS3: boolean;
    graphics: boolean;
  },
): void {
  store.add(KEY.uuid, o.uuid ?? new Uint8Array(16));
  store.add(KEY.ramSize, new Fields().put(8, m.ram.below + m.ram.above).bytes);
  store.addU16(KEY.nographic, m.graphics ? 0 : 1);
  store.addU16(KEY.cpus, o.cpus);
  store.addU16(KEY.maxCpus, m.apicIdLimit);
  store.addU16(KEY.bootMenu, o.bootMenu === true ? 1 : 0);
  store.add(KEY.acpiTables, new Uint8Array(0));
  store.addU32(KEY.irq0Override, 1);
  store.add(KEY.numa, new Uint8Array(8 * (1 + m.apicIdLimit)));
  store.add(KEY.hpet, hpetItem(m.hpet));
  const file = (name: string, bytes: Uint8Array): void => store.addFile({ name, bytes });
  file("bios-geometry", new Uint8Array(0));
  file("bootorder", new Uint8Array(0));
  file("etc/e820", e820(m.ram));
  file("etc/boot-fail-wait", new Fields().put(4, o.rebootTimeout ?? 0xffffffff).bytes);
  if (o.bootSplashTime !== undefined) file("etc/boot-menu-wait", new Fields().put(2, o.bootSplashTime).bytes);
  file("etc/system-states", Uint8Array.of(128, 0, 0, m.disableS3 ? 1 : 0x81, 0x82, 128));
  for (const { name, bytes } of o.configFiles ?? []) file(name, bytes);
}

/** One timer block: event timer id, address, minimum tick, page protection; eight of them. */
function hpetItem(present: boolean): Uint8Array {
  const fields = new Fields().put(1, present ? 1 : 0xff);
  for (let i = 0; i < 8; i++)
    fields
      .put(4, present && i === 0 ? 0x8086a201 : 0)
      .put(8, present && i === 0 ? HPET_BASE : 0)
      .put(2, present && i === 0 ? 100 : 0)
      .put(1, 0);
  return fields.bytes;
}
