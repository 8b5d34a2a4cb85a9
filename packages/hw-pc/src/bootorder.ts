import type { Device } from "@mimus/machine-core";

/** What a PCI bus knows of the place and kind of a function, whatever package it comes from. */
interface BoardFunction {
  readonly slot: number;
  readonly devfn: number;
  readonly config: { readonly bytes: Uint8Array };
}

/** Names of PCI classes in firmware's paths. Source: IEEE 1275, PCI Bus Binding 2.1, 2.5; as SeaBIOS compares them. */
const CLASS_NAMES: Readonly<Record<number, string>> = {
  0x0100: "scsi",
  0x0101: "ide",
  0x0102: "fdc",
  0x0200: "ethernet",
  0x0300: "display",
  0x0601: "isa",
};
/** Offset of the class (16 bits) in configuration space. */
const CLASS_AT = 0x0a;

/** The path of a device as firmware names it; undefined for one that it cannot boot from. */
function firmwarePath(device: Device, functions: (device: Device) => BoardFunction | undefined): string | undefined {
  const { parentBus, type } = device;
  const unit = Number(device.values["unit"] ?? 0).toString(16);
  if (parentBus === undefined) return undefined;
  const { owner } = parentBus;
  if (type.name === "ide-hd" || type.name === "ide-cd") {
    const above = firmwarePath(owner, functions);
    const channel = Number(/\d+$/.exec(parentBus.name)?.[0] ?? 0);
    return above === undefined ? undefined : `${above}/drive@${channel.toString(16)}/disk@${unit}`;
  }
  if (type.name === "floppy") {
    const above = firmwarePath(owner, functions);
    return above === undefined ? undefined : `${above}/floppy@${unit}`;
  }
  if (type.name === "isa-fdc") {
    const bridge = firmwarePath(owner, functions) ?? "/isa";
    return `${bridge}/fdc@${Number(device.values["iobase"]).toString(16).padStart(4, "0")}`;
  }
  const f = functions(device);
  if (f === undefined) return firmwarePath(owner, functions);
  const code = f.config.bytes[CLASS_AT]! | (f.config.bytes[CLASS_AT + 1]! << 8);
  const name = CLASS_NAMES[code] ?? "pci";
  const fn = f.devfn & 7;
  const here = `/pci@i0cf8/${name}@${f.slot.toString(16)}${fn === 0 ? "" : `,${fn.toString(16)}`}`;
  if (name === "ethernet") return `${here}/ethernet-phy@0`;
  return name === "scsi" ? `${here}/disk@0,0` : here;
}

/** Devices with a `bootindex`, lowest first, by their paths. */
export function bootPaths(devices: readonly Device[]): string[] {
  const functions = (device: Device): BoardFunction | undefined => {
    const all = (device.parentBus?.impl as { functions?: ReadonlyMap<number, BoardFunction> } | undefined)?.functions;
    const place = device.impl as Partial<BoardFunction> | undefined;
    if (all === undefined) return undefined;
    const addr = device.values["addr"];
    const devfn = typeof place?.devfn === "number" ? place.devfn : typeof addr === "number" ? addr : -1;
    return all.get(devfn);
  };
  return devices
    .map((device) => ({ device, index: device.values["bootindex"] }))
    .filter((d): d is { device: Device; index: number } => typeof d.index === "number" && d.index >= 0)
    .toSorted((a, b) => a.index - b.index)
    .flatMap(({ device }) => firmwarePath(device, functions) ?? []);
}

/** The file that firmware reads: one path a line. `strict`: boot from nothing else. */
export function bootOrderFile(paths: readonly string[], strict: boolean): Uint8Array {
  const lines = strict ? [...paths, "HALT"] : paths;
  if (lines.length === 0) return new Uint8Array(0);
  return Uint8Array.from(`${lines.join("\n")}\0`, (c) => c.charCodeAt(0));
}
