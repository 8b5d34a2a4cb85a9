import { ATTR_MASK, COUNT, CRTC, GFX_MASK, SEQ, SEQ_MASK } from "./registers.ts";
import type { VgaState } from "./state.ts";

/** Called when registers have changed. */
export interface PortEvents {
  /** Something that may change the picture. */
  changed(): void;
  /** Something that changes how the window shows the memory. */
  windowChanged(): void;
}

/** Bits of input status 1. */
const STATUS1 = { OFF: 1, RETRACE: 8 } as const;
/** First port of the monochrome CRT controller, which is there instead of that at 3D4 when bit 0 of the miscellaneous output is 0. */
const COLOR = 1;

/** The ports of a VGA, 3B4 to 3DA. Source: IBM PS/2 Hardware Interface Technical Reference, "Video subsystem", "Register formats". */
export class VgaPorts {
  readonly #s: VgaState;
  readonly #events: PortEvents;
  /** Whether the palette has 8 bits a component instead of 6. */
  dac8 = false;

  constructor(s: VgaState, events: PortEvents) {
    this.#s = s;
    this.#events = events;
  }

  /** Whether the CRT controller is at the other address now. */
  #absent(port: number): boolean {
    if (port >= 0x3b0 && port <= 0x3bf) return (this.#s.misc & COLOR) !== 0;
    return port >= 0x3d0 && port <= 0x3df && (this.#s.misc & COLOR) === 0;
  }

  /** A byte from port `port`. */
  read(port: number): number {
    const s = this.#s;
    if (this.#absent(port)) return 0xff;
    switch (port) {
      case 0x3c0:
        return s.attrData ? 0 : s.attrIndex;
      case 0x3c1:
        return s.attr[s.attrIndex & 0x1f] ?? 0;
      case 0x3c2:
        return s.status0;
      case 0x3c4:
        return s.seqIndex;
      case 0x3c5:
        return s.seq[s.seqIndex & 7]!;
      case 0x3c6:
        return s.dacMask;
      case 0x3c7:
        return s.dacReading ? 3 : 0;
      case 0x3c8:
        return s.dacWrite;
      case 0x3c9:
        return this.#readDac();
      case 0x3ca:
        return s.feature;
      case 0x3cc:
        return s.misc;
      case 0x3ce:
        return s.gfxIndex;
      case 0x3cf:
        return s.gfx[s.gfxIndex & 15]!;
      case 0x3b4:
      case 0x3d4:
        return s.crtcIndex;
      case 0x3b5:
      case 0x3d5:
        return s.crtc[s.crtcIndex & 31]!;
      case 0x3ba:
      case 0x3da:
        // Each look finds the beam somewhere else, so that nobody waits for it.
        s.attrData = false;
        s.status1 ^= STATUS1.OFF | STATUS1.RETRACE;
        return s.status1;
      default:
        return 0;
    }
  }

  /** A byte to port `port`. */
  write(port: number, value: number): void {
    const s = this.#s;
    if (this.#absent(port)) return;
    switch (port) {
      case 0x3c0:
        this.#writeAttribute(value);
        break;
      case 0x3c2:
        s.misc = value & ~0x10;
        break;
      case 0x3c4:
        s.seqIndex = value & 7;
        break;
      case 0x3c5:
        this.#writeSequencer(value);
        break;
      case 0x3c6:
        s.dacMask = value;
        this.#events.changed();
        break;
      case 0x3c7:
        s.dacRead = value;
        s.dacPart = 0;
        s.dacReading = true;
        break;
      case 0x3c8:
        s.dacWrite = value;
        s.dacPart = 0;
        s.dacReading = false;
        break;
      case 0x3c9:
        this.#writeDac(value);
        break;
      case 0x3ce:
        s.gfxIndex = value & 15;
        break;
      case 0x3cf:
        this.#writeGraphics(value);
        break;
      case 0x3b4:
      case 0x3d4:
        s.crtcIndex = value & 0x1f;
        break;
      case 0x3b5:
      case 0x3d5:
        this.#writeCrtc(value);
        break;
      case 0x3ba:
      case 0x3da:
        s.feature = value & 0x08;
        break;
      default: // not a register
    }
  }

  #writeAttribute(value: number): void {
    const s = this.#s;
    s.attrData = !s.attrData;
    if (s.attrData) {
      if ((s.attrIndex ^ value) & 0x20) this.#events.changed();
      s.attrIndex = value & 0x3f;
      return;
    }
    const index = s.attrIndex & 0x1f;
    if (index >= COUNT.attr) return;
    s.attr[index] = value & (index < 16 ? 0x3f : ATTR_MASK[index - 16]!);
    this.#events.changed();
  }

  #writeSequencer(value: number): void {
    const { seq, seqIndex } = this.#s;
    seq[seqIndex] = value & SEQ_MASK[seqIndex]!;
    if (seqIndex === SEQ.CLOCK || seqIndex === SEQ.FONT || seqIndex === SEQ.MEMORY) this.#events.changed();
    if (seqIndex === SEQ.MAP_MASK || seqIndex === SEQ.MEMORY) this.#events.windowChanged();
  }

  #writeGraphics(value: number): void {
    const { gfx, gfxIndex } = this.#s;
    const kept = value & GFX_MASK[gfxIndex]!;
    if (gfx[gfxIndex] === kept) return;
    gfx[gfxIndex] = kept;
    this.#events.changed();
    this.#events.windowChanged();
  }

  #writeCrtc(value: number): void {
    const { crtc, crtcIndex } = this.#s;
    // Registers 0 to 7 are locked by a bit of register 11; only bit 4 of register 7 is not.
    if (crtc[CRTC.V_RETRACE_END]! & 0x80 && crtcIndex <= CRTC.OVERFLOW) {
      if (crtcIndex !== CRTC.OVERFLOW) return;
      crtc[crtcIndex] = (crtc[crtcIndex]! & ~0x10) | (value & 0x10);
    } else crtc[crtcIndex] = value;
    this.#events.changed();
  }

  #readDac(): number {
    const s = this.#s;
    const value = s.dac[3 * s.dacRead + s.dacPart]!;
    if (++s.dacPart === 3) {
      s.dacPart = 0;
      s.dacRead = (s.dacRead + 1) & 0xff;
    }
    return value;
  }

  #writeDac(value: number): void {
    const s = this.#s;
    s.dac[3 * s.dacWrite + s.dacPart] = this.dac8 ? value : value & 0x3f;
    if (++s.dacPart === 3) {
      s.dacPart = 0;
      s.dacWrite = (s.dacWrite + 1) & 0xff;
    }
    this.#events.changed();
  }
}
