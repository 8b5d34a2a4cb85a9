import { GIB, HIGH_RAM, MIB } from "../memmap.ts";
import type { RamSplit } from "../memmap.ts";
import { BoardError } from "../errors.ts";
import type { SmbiosFields } from "./fields.ts";
import { Structure } from "./structure.ts";

/** What the tables describe. */
export interface SmbiosMachine {
  readonly manufacturer: string;
  readonly product: string;
  readonly version: string;
  readonly uuid: Uint8Array | undefined;
  readonly ram: RamSplit;
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
  /** CPUID leaf 1: eax and edx. */
  readonly cpuid: readonly [eax: number, edx: number];
}

/** First handles of the types; QEMU's numbers. */
const HANDLE = {
  0: 0,
  1: 0x100,
  2: 0x200,
  3: 0x300,
  4: 0x400,
  8: 0x800,
  11: 0xe00,
  16: 0x1000,
  17: 0x1100,
  19: 0x1300,
  32: 0x2000,
  127: 0x7f00,
} as const;
/** The largest memory device. */
const DIMM_MAX = 16 * GIB;
const NONE = 0xfffe;

/** The SMBIOS structures of a PC, in the order of their types. Source: DSP0134 2.8, 7 "Structure definitions". */
export function smbiosStructures(m: SmbiosMachine, f: SmbiosFields): Uint8Array[] {
  const out: Uint8Array[] = [];
  const add = (structure: Structure): void => void out.push(structure.encoded);
  const own = (type: number): { manufacturer: string; version: string } => ({
    manufacturer: f.of(type)["manufacturer"] ?? m.manufacturer,
    version: f.of(type)["version"] ?? m.version,
  });

  if (f.given.has(0)) add(firmware(f.of(0)));
  add(system(m, f.of(1), own(1)));
  if (f.given.has(2)) add(baseboard(m, f.of(2), own(2)));
  add(chassis(f.of(3), own(3)));
  for (let socket = 0; socket < m.sockets; socket++) add(processor(m, f.of(4), own(4), socket));
  if (f.given.has(8)) add(port(f.of(8)));
  const text = f.of(11)["value"];
  if (text !== undefined) add(new Structure(11, HANDLE[11]).u8(1).text(text));
  memory(m, f, own(17).manufacturer).forEach(add);
  add(new Structure(32, HANDLE[32]).u8(0, 0, 0, 0, 0, 0, 0));
  out.push(...f.whole);
  add(new Structure(127, HANDLE[127]));
  return out;
}

type Values = Readonly<Record<string, string>>;
interface Own {
  readonly manufacturer: string;
  readonly version: string;
}

function firmware(v: Values): Structure {
  const [major = "0", minor = "0"] = (v["release"] ?? "0.0").split(".");
  return new Structure(0, HANDLE[0])
    .text(v["vendor"])
    .text(v["version"])
    .u16(0xe800)
    .text(v["date"])
    .u8(0)
    .u64(8) // characteristics are not given
    .u8(0, 0x14 | (v["uefi"] === "on" ? 8 : 0)) // virtual machine, targeted content distribution
    .u8(Number(major), Number(minor), 0xff, 0xff);
}

/** A UUID as SMBIOS has it: the first three fields low byte first. Source: DSP0134 2.8, 7.2.1. */
function wireUuid(bytes: Uint8Array): Uint8Array {
  const at = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(at, (i) => bytes[i] ?? 0);
}

function system(m: SmbiosMachine, v: Values, own: Own): Structure {
  const text = v["uuid"];
  if (text !== undefined && !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text))
    throw new BoardError("bad-option", `-smbios type=1,uuid=${text}: expected xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`);
  const given =
    text === undefined
      ? m.uuid
      : Uint8Array.from(text.replaceAll("-", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return new Structure(1, HANDLE[1])
    .text(own.manufacturer)
    .text(v["product"] ?? m.product)
    .text(own.version)
    .text(v["serial"])
    .bytes(wireUuid(given ?? new Uint8Array(16)))
    .u8(6) // woken by the power switch
    .text(v["sku"])
    .text(v["family"]);
}

function baseboard(m: SmbiosMachine, v: Values, own: Own): Structure {
  return new Structure(2, HANDLE[2])
    .text(own.manufacturer)
    .text(v["product"] ?? m.product)
    .text(own.version)
    .text(v["serial"])
    .text(v["asset"])
    .u8(1)
    .text(v["location"])
    .u16(HANDLE[3])
    .u8(0x0a, 0);
}

function chassis(v: Values, own: Own): Structure {
  return new Structure(3, HANDLE[3])
    .text(own.manufacturer)
    .u8(1)
    .text(own.version)
    .text(v["serial"])
    .text(v["asset"])
    .u8(3, 3, 3, 2) // states: safe; security: unknown
    .u32(0)
    .u8(0, 0, 0, 0)
    .text(v["sku"]);
}

function processor(m: SmbiosMachine, v: Values, own: Own, socket: number): Structure {
  const prefix = v["sock_pfx"] ?? "CPU";
  const count = (n: number): number => Math.min(n, 255);
  const threads = m.cores * m.threads;
  const [eax, edx] = m.cpuid;
  const id = v["processor-id"];
  return new Structure(4, HANDLE[4] + socket)
    .text(`${prefix} ${socket}`)
    .u8(3, 1) // central processor, other family
    .text(own.manufacturer)
    .u64(id === undefined ? eax + (edx >>> 0) * 2 ** 32 : Number(id))
    .text(own.version)
    .u8(0)
    .u16(0)
    .u16(Number(v["max-speed"] ?? 2000), Number(v["current-speed"] ?? 2000))
    .u8(0x41, 1) // populated and enabled; other upgrade
    .u16(0xffff, 0xffff, 0xffff)
    .text(v["serial"])
    .text(v["asset"])
    .text(v["part"])
    .u8(count(m.cores), count(m.cores), count(threads))
    .u16(2, 1) // characteristics: unknown; other family
    .u16(m.cores, m.cores, threads);
}

function port(v: Values): Structure {
  return new Structure(8, HANDLE[8])
    .text(v["internal_reference"])
    .u8(0)
    .text(v["external_reference"])
    .u8(Number(v["connector_type"] ?? 0), Number(v["port_type"] ?? 0));
}

/** The memory array, its devices, and where they appear. */
function memory(m: SmbiosMachine, f: SmbiosFields, manufacturer: string): Structure[] {
  const total = m.ram.below + m.ram.above;
  const devices = Math.max(1, Math.ceil(total / DIMM_MAX));
  const array = new Structure(16, HANDLE[16])
    .u8(1, 3, 6) // other place, system memory, multi-bit ECC
    .u32(Math.min(Math.ceil(total / 1024), 0x80000000))
    .u16(NONE, devices)
    .u64(total / 1024 < 0x80000000 ? 0 : total);
  const v = f.of(17);
  const list = [array];
  for (let i = 0; i < devices; i++) {
    const mib = Math.ceil(Math.min(DIMM_MAX, total - i * DIMM_MAX) / MIB);
    list.push(
      new Structure(17, HANDLE[17] + i)
        .u16(HANDLE[16], NONE, 0xffff, 0xffff)
        .u16(Math.min(mib, 0x7fff))
        .u8(9, 0) // DIMM
        .text(`${v["loc_pfx"] ?? "DIMM"} ${i}`)
        .text(v["bank"])
        .u8(7) // RAM
        .u16(2, Number(v["speed"] ?? 0))
        .text(v["manufacturer"] ?? manufacturer)
        .text(v["serial"])
        .text(v["asset"])
        .text(v["part"])
        .u8(0)
        .u32(mib < 0x7fff ? 0 : mib)
        .u16(Number(v["speed"] ?? 0), 0, 0, 0),
    );
  }
  const ranges = [
    [0, m.ram.below],
    [HIGH_RAM, m.ram.above],
  ].filter(([, size]) => (size ?? 0) > 0);
  for (const [i, [base = 0, size = 0]] of ranges.entries())
    list.push(
      new Structure(19, HANDLE[19] + i)
        .u32(base / 1024, (base + size) / 1024 - 1)
        .u16(HANDLE[16])
        .u8(1)
        .u64(0)
        .u64(0),
    );
  return list;
}
