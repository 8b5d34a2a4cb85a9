import type { Registers } from "@mimus/machine-core";
import type { Dispi } from "./dispi.ts";
import type { VgaPorts } from "./ports.ts";

/** Bytes of the registers in memory space. */
export const MMIO_SIZE = 0x1000;
/** Where things are. Source: QEMU, docs/specs/standard-vga.rst, "MMIO area spec". */
const AT = { EDID: 0x000, PORTS: 0x400, DISPI: 0x500, EXTENDED: 0x600 } as const;
const PORTS_BYTES = 0x20;
const DISPI_BYTES = 0x16;
const EXTENDED_BYTES = 8;
/** What the register for the byte order of the pixels says: little-endian. */
const ENDIAN_LITTLE = 0x1e1e1e1e;

/** The registers of the card in memory space: the monitor's identification, the VGA's ports, the display interface, the byte order. */
export class VgaMmio implements Registers {
  readonly #edid: Uint8Array;
  readonly #ports: VgaPorts | undefined;
  readonly #dispi: Dispi;
  readonly #extended: boolean;

  constructor(opts: { edid: Uint8Array; ports?: VgaPorts; dispi: Dispi; extended: boolean }) {
    this.#edid = opts.edid;
    this.#ports = opts.ports;
    this.#dispi = opts.dispi;
    this.#extended = opts.extended;
  }

  read(offset: number, size: number): number {
    if (offset < AT.PORTS) return this.#bytes(offset, size, (at) => this.#edid[at] ?? 0);
    const ports = this.#ports;
    if (ports !== undefined && offset < AT.PORTS + PORTS_BYTES)
      return this.#bytes(offset - AT.PORTS, size, (at) => (at < PORTS_BYTES ? ports.read(0x3c0 + at) : 0));
    if (offset >= AT.DISPI && offset < AT.DISPI + DISPI_BYTES) {
      if (size === 4) return (this.#register(offset) | (this.#register(offset + 2) << 16)) >>> 0;
      const value = this.#register(offset);
      return size === 2 ? value : (value >> (8 * (offset & 1))) & 0xff;
    }
    if (this.#extended && offset >= AT.EXTENDED && offset < AT.EXTENDED + EXTENDED_BYTES)
      return this.#bytes(
        offset - AT.EXTENDED,
        size,
        (at) => (at < 4 ? EXTENDED_BYTES : ENDIAN_LITTLE) >>> (8 * (at & 3)),
      );
    return 0;
  }

  write(offset: number, size: number, value: number): void {
    const ports = this.#ports;
    if (ports !== undefined && offset >= AT.PORTS && offset < AT.PORTS + PORTS_BYTES)
      for (let i = 0; i < size; i++) ports.write(0x3c0 + offset - AT.PORTS + i, (value >>> (8 * i)) & 0xff);
    else if (offset >= AT.DISPI && offset < AT.DISPI + DISPI_BYTES) {
      if (size === 1) return;
      this.#dispi.writeData(value & 0xffff, (offset - AT.DISPI) >> 1);
      if (size === 4) this.#dispi.writeData(value >>> 16, (offset - AT.DISPI + 2) >> 1);
    }
    // Pixels are little-endian here whatever the guest asks for.
  }

  #register(offset: number): number {
    return this.#dispi.readData((offset - AT.DISPI) >> 1);
  }

  #bytes(at: number, size: number, byte: (at: number) => number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value |= (byte(at + i) & 0xff) << (8 * i);
    return value >>> 0;
  }
}
