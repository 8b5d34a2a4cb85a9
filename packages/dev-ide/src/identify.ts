/** What IDENTIFY DEVICE and IDENTIFY PACKET DEVICE answer. Source: ATA/ATAPI-7 volume 1, 6.17.7 and 6.18.6. */
import { MULTIPLE } from "./spec.ts";

/** Who a unit says it is. */
export interface Identity {
  readonly serial: string;
  readonly firmware: string;
  readonly model: string;
  /** World wide name; 0n: none. */
  readonly wwn: bigint;
}

/** A disk's shape. */
export interface DiskShape {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
  /** log2 of logical sectors in a physical one. */
  readonly physicalShift: number;
  /** Revolutions a minute, 1: none; 0: it does not say. */
  readonly rotation: number;
  readonly trim: boolean;
}

/** Changeable settings that show. */
export interface Settings {
  readonly total: number;
  readonly multiple: number;
  readonly mode: number;
  readonly writeCache: boolean;
  readonly smart: boolean;
  readonly dma: boolean;
  readonly heads: number;
  readonly sectors: number;
}

class Words {
  readonly bytes: Uint8Array = new Uint8Array(512);
  readonly #view = new DataView(this.bytes.buffer);
  set(n: number, value: number): void {
    this.#view.setUint16(2 * n, value, true);
  }
  set2(n: number, value: number): void {
    this.#view.setUint32(2 * n, value, true);
  }
  /** Two characters a word, the first in the upper byte, padded with spaces. */
  text(n: number, words: number, value: string): void {
    for (let i = 0; i < 2 * words; i++) {
      const code = i < value.length ? value.charCodeAt(i) & 0x7f : 0x20;
      this.bytes[2 * n + (i ^ 1)] = code;
    }
  }
  wwn(value: bigint): void {
    for (let i = 0; i < 4; i++) this.set(108 + i, Number((value >> BigInt(48 - 16 * i)) & 0xffffn));
  }
  /** Signature and checksum in the last word. */
  sealed(): Uint8Array {
    this.bytes[510] = 0xa5;
    let sum = 0;
    for (let i = 0; i < 511; i++) sum += this.bytes[i]!;
    this.bytes[511] = -sum & 0xff;
    return this.bytes;
  }
}

/** Transfer modes, the chosen one marked: words 62, 63 and 88. */
function modes(w: Words, mode: number, dma: boolean): void {
  w.set(62, dma && mode >> 3 === 2 ? 7 | (0x100 << (mode & 7)) : dma ? 7 : 0);
  w.set(63, dma ? 7 | (mode >> 3 === 4 ? 0x100 << (mode & 7) : 0) : 0);
  w.set(64, 3);
  for (const n of [65, 66, 67, 68]) w.set(n, 120);
  w.set(88, dma ? 0x3f | (mode >> 3 === 8 ? 0x100 << (mode & 7) : 0) : 0);
}

export function identifyDisk(id: Identity, shape: DiskShape, s: Settings): Uint8Array {
  const w = new Words();
  const lba28 = Math.min(s.total, 0x0fff_ffff);
  w.set(0, 0x0040);
  w.set(1, shape.cylinders);
  w.set(3, shape.heads);
  w.set(4, 512 * shape.sectors);
  w.set(5, 512);
  w.set(6, shape.sectors);
  w.text(10, 10, id.serial);
  w.set(20, 3);
  w.set(21, 512);
  w.set(22, 4);
  w.text(23, 4, id.firmware);
  w.text(27, 20, id.model);
  w.set(47, 0x8000 | MULTIPLE);
  w.set(48, 1);
  // LBA and DMA.
  w.set(49, 0x0a00 | (s.dma ? 0x100 : 0));
  w.set(50, 0x4000);
  w.set(51, 0x200);
  w.set(52, 0x200);
  w.set(53, 7);
  const cylinders = Math.min(65535, Math.floor(lba28 / Math.max(1, s.heads * s.sectors)));
  w.set(54, cylinders);
  w.set(55, s.heads);
  w.set(56, s.sectors);
  w.set2(57, cylinders * s.heads * s.sectors);
  w.set(59, s.multiple === 0 ? 0 : 0x100 | s.multiple);
  w.set2(60, lba28);
  modes(w, s.mode, s.dma);
  if (shape.trim) w.set(69, 1 << 14);
  w.set(80, 0xf0);
  w.set(81, 0x16);
  // SMART, write cache, NOP; FLUSH CACHE, FLUSH CACHE EXT, 48 bits; SMART error log and self-test.
  w.set(82, 0x4021);
  w.set(83, 0x7400);
  w.set(84, id.wwn === 0n ? 0x4003 : 0x4103);
  w.set(85, 0x4000 | (s.writeCache ? 0x20 : 0) | (s.smart ? 1 : 0));
  w.set(86, 0x3400);
  w.set(87, id.wwn === 0n ? 0x4003 : 0x4103);
  w.set(93, 0x6001);
  w.set2(100, s.total >>> 0);
  w.set(102, Math.floor(s.total / 2 ** 32) & 0xffff);
  if (shape.physicalShift > 0) w.set(106, 0x6000 | shape.physicalShift);
  w.wwn(id.wwn);
  if (shape.trim) {
    w.set(105, 8);
    w.set(169, 1);
  }
  w.set(217, shape.rotation);
  return w.sealed();
}

export function identifyPacket(id: Identity, mode: number, dma: boolean): Uint8Array {
  const w = new Words();
  // CD-ROM, removable, packets of 12 bytes, DRQ within 50 µs.
  w.set(0, 0x85c0);
  w.text(10, 10, id.serial);
  w.set(20, 3);
  w.set(21, 512);
  w.set(22, 4);
  w.text(23, 4, id.firmware);
  w.text(27, 20, id.model);
  w.set(48, 1);
  w.set(49, 0x0a00 | (dma ? 0x100 : 0));
  w.set(53, 7);
  modes(w, mode, dma);
  w.set(71, 30);
  w.set(72, 30);
  w.set(80, 0x1e);
  // PACKET and DEVICE RESET.
  w.set(82, 0x0210);
  w.set(83, 0x4000);
  w.set(84, id.wwn === 0n ? 0x4000 : 0x4100);
  w.set(85, 0x0210);
  w.set(87, id.wwn === 0n ? 0x4000 : 0x4100);
  w.set(93, 0x6001);
  w.wwn(id.wwn);
  return w.sealed();
}
