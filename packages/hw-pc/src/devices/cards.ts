import type { FirmwareFiles, MachineBuilder } from "@mimus/machine-core";
import { BoardError } from "../errors.ts";
import { installed } from "./place.ts";

/** Device types of `-vga`, with PCI and without. */
const VGA: Readonly<Record<string, { pci?: string; isa?: string }>> = {
  std: { pci: "VGA", isa: "isa-vga" },
  cirrus: { pci: "cirrus-vga", isa: "isa-cirrus-vga" },
  vmware: { pci: "vmware-svga" },
  virtio: { pci: "virtio-vga" },
  qxl: { pci: "qxl-vga" },
};
/** Network cards of `-nic model=` by their old names. */
const NIC: Readonly<Record<string, string>> = { virtio: "virtio-net-pci", ne2k_isa: "ne2k_isa" };

/** Graphics and network cards. */
export function addCards(m: MachineBuilder, pci: boolean, isaBus: string): void {
  addGraphics(m, pci, isaBus);
  for (const { model, props } of m.options.nics ?? []) {
    const type = model === undefined ? (pci ? "e1000" : "ne2k_isa") : (NIC[model] ?? model);
    if (!installed(m, type))
      throw new BoardError(
        "missing-device",
        `-nic: no package with the network card '${type}' is installed; name another with model=, or use -nic none`,
      );
    m.createDevice(type, props, { realize: true, parentPath: "/machine/unattached" });
  }
}

function addGraphics(m: MachineBuilder, pci: boolean, isaBus: string): void {
  const { vga, noDefaults } = m.options;
  if (vga === "none" || (vga === undefined && noDefaults === true)) return;
  const wanted = vga ?? "std";
  const type = VGA[wanted]?.[pci ? "pci" : "isa"];
  if (type === undefined)
    throw new BoardError(
      "bad-option",
      `-vga ${wanted}: this machine has no such card; there are: ${Object.keys(VGA)
        .filter((name) => VGA[name]?.[pci ? "pci" : "isa"] !== undefined)
        .join(", ")}, none`,
    );
  if (!installed(m, type)) {
    if (vga === undefined) return;
    throw new BoardError(
      "missing-device",
      `-vga ${vga}: no package with the card '${type}' is installed; use -vga none`,
    );
  }
  m.createDevice(type, pci ? { addr: "2" } : {}, { realize: true, bus: pci ? "pci.0" : isaBus });
}

/** File of the BIOS of ISA graphics cards: they have no register that shows it, so firmware is given it. */
const ISA_VGA_ROM = "vgabios-isavga.bin";

/** The BIOS of an ISA graphics card, when there is one and its BIOS is installed. */
export function isaCardRom(m: MachineBuilder, isaBus: string): { name: string; bytes: Uint8Array } | undefined {
  const has = m.findBus(isaBus)?.children.some(({ type }) => type.name === "isa-vga") === true;
  const files = m.backend("firmware", "files") as FirmwareFiles | undefined;
  const bytes = has ? files?.read(ISA_VGA_ROM) : undefined;
  return bytes === undefined ? undefined : { name: `vgaroms/${ISA_VGA_ROM}`, bytes };
}
