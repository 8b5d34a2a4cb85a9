import type { DisplayConsole, TextScreen } from "@mimus/display";
import type { RamBlock, Stateful } from "@mimus/machine-core";
import { Dispi } from "./dispi.ts";
import { graphicsPicture, linearPicture } from "./graphics.ts";
import { VgaMemory } from "./memory.ts";
import { attributeColors, dacColors } from "./palette.ts";
import type { Picture } from "./picture.ts";
import { blank } from "./picture.ts";
import { VgaPorts } from "./ports.ts";
import { CLOCK, CRTC, GFX, SEQ } from "./registers.ts";
import { Screen } from "./screen.ts";
import type { VgaState } from "./state.ts";
import { assign, State } from "./state.ts";
import type { Blink } from "./text.ts";
import { textPicture, textScreen } from "./text.ts";

/** Nanoseconds of a frame at 60 Hz: the cursor changes every 8 frames, characters every 16. */
const FRAME = 16_666_667;

/** What a {@link Vga} needs of the world. */
export interface VgaPins {
  /** Nanoseconds, for what blinks. */
  now(): number;
  /** The window at A0000h shows other memory, or memory in another way. */
  windowChanged(): void;
}

/** A VGA with the display interface of Bochs: registers and memory in, pixels out. */
export class Vga implements Stateful {
  /** @internal */
  readonly ports: VgaPorts;
  /** @internal */
  readonly memory: VgaMemory;
  readonly dispi: Dispi;
  readonly #s: VgaState = State.parse({});
  readonly #block: RamBlock;
  readonly #pins: VgaPins;
  readonly #dac: Uint32Array = new Uint32Array(256);
  readonly #colors: Uint32Array = new Uint32Array(16);
  #changes = 0;

  constructor(block: RamBlock, pins: VgaPins) {
    this.#block = block;
    this.#pins = pins;
    const changed = (): void => void this.#changes++;
    const windowChanged = (): void => this.#window();
    this.ports = new VgaPorts(this.#s, { changed, windowChanged });
    this.memory = new VgaMemory(this.#s, block);
    this.memory.arrange();
    this.dispi = new Dispi(block.size, { changed, windowChanged, switched: (on, clear) => this.#switched(on, clear) });
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(structuredState(this.#s));
  }
  load(raw: unknown): void {
    assign(this.#s, State.parse(raw));
    this.#changes++;
    this.#window();
  }

  /** Shows its picture on `console`. */
  attach(console: DisplayConsole): void {
    new Screen(console, this.#block, {
      picture: () => this.picture(),
      version: () => this.#changes * 4 + this.#blinkState(),
      lines: () => {
        const { mode } = this.dispi;
        return mode !== undefined && mode.bpp >= 8 ? mode : undefined;
      },
    });
    console.text = () => this.text();
  }

  /** What the screen shows. */
  picture(): Picture {
    const s = this.#s;
    dacColors(s, this.dispi.dac8, this.#dac);
    attributeColors(s, this.#dac, this.#colors);
    const { mode } = this.dispi;
    if (mode !== undefined)
      return linearPicture(mode, { ...this.#sourceOf(), bytes: this.#block.bytes }, this.#colors, this.#dac);
    // Nobody has set a mode yet.
    if (s.crtc[CRTC.H_DISPLAY_END] === 0) return blank(640, 480);
    const picture =
      s.gfx[GFX.MISC]! & 1
        ? graphicsPicture(s, this.memory, this.#colors, this.#dac)
        : textPicture(s, this.memory, this.#colors, this.#blink());
    return this.#visible() ? picture : blank(picture.width, picture.height);
  }

  /** The characters, in a text mode. */
  text(): TextScreen | undefined {
    if (this.dispi.on || this.#s.gfx[GFX.MISC]! & 1 || !this.#visible()) return undefined;
    return textScreen(this.#s, this.memory);
  }

  #sourceOf(): { byte(at: number): number; word(at: number): number } {
    return { byte: (at) => this.memory.byte(at), word: (at) => this.memory.word(at) };
  }

  #visible(): boolean {
    return (this.#s.attrIndex & 0x20) !== 0 && (this.#s.seq[SEQ.CLOCK]! & CLOCK.OFF) === 0;
  }

  #blink(): Blink {
    const frames = Math.floor(this.#pins.now() / FRAME);
    return { cursor: ((frames >> 3) & 1) === 0, characters: ((frames >> 4) & 1) === 0 };
  }

  /** The states of what blinks as a number; always the same where nothing does. */
  #blinkState(): number {
    if (this.dispi.on || this.#s.gfx[GFX.MISC]! & 1) return 0;
    return Math.floor(this.#pins.now() / FRAME / 8) & 3;
  }

  #window(): void {
    this.memory.bank = this.dispi.bank;
    this.memory.arrange();
    this.ports.dac8 = this.dispi.dac8;
    this.#pins.windowChanged();
  }

  #switched(on: boolean, clear: boolean): void {
    if (!on || !clear) return;
    const { mode } = this.dispi;
    if (mode === undefined) return;
    const bytes = Math.min(this.#block.size, mode.height * mode.stride);
    this.#block.bytes.fill(0, 0, bytes);
    this.#block.dirty.mark(0, bytes);
  }
}

/** A copy that shares nothing with the registers. */
function structuredState(s: VgaState): VgaState {
  return {
    ...s,
    seq: s.seq.slice(),
    gfx: s.gfx.slice(),
    crtc: s.crtc.slice(),
    attr: s.attr.slice(),
    dac: s.dac.slice(),
  };
}
