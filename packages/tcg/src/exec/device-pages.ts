/** TLB entries whose pages are registers of one device: accesses go to it, past the bus. */
import type { DevicePort, PhysicalRange } from "./contract.ts";

export class DevicePages {
  /** Per entry: who answers; undefined: ask the bus. Made for the first device: most of many vCPUs never run. */
  #ports: (DevicePort | undefined)[] | undefined;
  /** Offset of the page there. Small numbers: devices compare and shift what they get, which costs more with doubles. */
  readonly #offsets: Int32Array;
  /** Bytes of the page that are so. */
  readonly #ends: Int32Array;
  readonly #wide = new Uint32Array(2);

  constructor(entries: number) {
    this.#offsets = new Int32Array(entries);
    this.#ends = new Int32Array(entries);
  }

  /** Entry `n` now maps the physical page at `page`, in `range`. */
  note(n: number, page: number, range: PhysicalRange | undefined): void {
    this.none(n);
    if (range?.port === undefined || range.ramOffset >= 0) return;
    const offset = page - range.base + (range.portOffset ?? 0);
    if ((offset & 7) !== 0 || offset > 0x7fff_f000) return;
    this.#ports ??= Array.from(this.#ends, () => undefined);
    this.#ports[n] = range.port;
    this.#offsets[n] = offset;
    this.#ends[n] = Math.min(4096, range.base + range.size - page);
  }

  /** Entry `n` now maps RAM. */
  none(n: number): void {
    if (this.#ports !== undefined) this.#ports[n] = undefined;
    this.#ends[n] = 0;
  }

  /** Who answers an aligned access to the page of entry `n`. */
  at(n: number, lo: number, size: number): DevicePort | undefined {
    return (lo & (size - 1)) === 0 && (lo & 4095) + size <= this.#ends[n]! ? this.#ports?.[n] : undefined;
  }

  /** Loads into `i32[out]` and the word behind it. */
  load(port: DevicePort, n: number, lo: number, size: number, i32: Int32Array, out: number): void {
    const offset = this.#offsets[n]! + (lo & 4095);
    if (size < 8) {
      i32[out] = port.read(offset, size);
      i32[out + 1] = 0;
    } else {
      port.readWide(offset, this.#wide);
      i32[out] = this.#wide[0]!;
      i32[out + 1] = this.#wide[1]!;
    }
  }

  store(port: DevicePort, n: number, lo: number, size: number, low: number, high: number): void {
    const offset = this.#offsets[n]! + (lo & 4095);
    if (size === 8) port.writeWide(offset, low >>> 0, high >>> 0);
    else port.write(offset, size, size === 4 ? low >>> 0 : low & (size === 2 ? 0xffff : 0xff));
  }
}
