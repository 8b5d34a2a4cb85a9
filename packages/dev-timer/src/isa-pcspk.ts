import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType, Registers, Stateful } from "@mimus/machine-core";
import { defineDevice, defineState } from "@mimus/machine-core";
import { onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import { Pit } from "./pit.ts";

const GATE = 0x01;
const SPEAKER = 0x02;
/** Refresh requests toggle a bit every 15 us. */
const REFRESH_NS = 15_085;

const State = defineState("pcspk", 1, { value: z.int().min(0).max(3).default(0) });

/** System control port B: the gate of counter 2, the loudspeaker, and their state. Source: IBM PC/AT Technical Reference (1985), 1-35. */
class SpeakerPort implements Registers, Stateful {
  readonly #pit: Pit;
  readonly #now: () => number;
  #value = 0;

  constructor(pit: Pit, now: () => number) {
    this.#pit = pit;
    this.#now = now;
  }

  read(): number {
    const refresh = Math.floor(this.#now() / REFRESH_NS) & 1;
    return this.#value | (refresh << 4) | (this.#pit.out(2) ? 0x20 : 0);
  }
  write(_offset: number, _size: number, value: number): void {
    this.#value = value & (GATE | SPEAKER);
    this.#pit.setGate(2, (value & GATE) !== 0);
  }
  reset(): void {
    this.#value = 0;
    this.#pit.setGate(2, false);
  }
  save(): unknown {
    return State.parse({ value: this.#value });
  }
  load(raw: unknown): void {
    // The gate is saved with the timer.
    this.#value = State.parse(raw).value;
  }

  /** The tone that sounds now, Hz; 0: silence. */
  get tone(): number {
    return this.#value === (GATE | SPEAKER) ? this.#pit.frequency(2) : 0;
  }
}

/** The loudspeaker of a PC, without sound: property "tone" tells what would be heard. */
export const isaPcspk: DeviceType = defineDevice({
  name: "isa-pcspk",
  parent: isaDevice,
  summary: "PC speaker and system control port B",
  userCreatable: false,
  props: z.strictObject({
    audiodev: z.string().default("").describe("accepted; nothing is heard"),
    iobase: u32.default(0x61).describe("port"),
    migrate: onOff.default(true).describe("accepted"),
  }),
  realize(p, dev) {
    const pit = dev.parentBus?.children.map((d) => d.impl).find((impl) => impl instanceof Pit);
    if (!(pit instanceof Pit)) throw new Error(`${dev.path}: isa-pcspk needs an isa-pit on its bus, made before it`);
    const port = new SpeakerPort(pit, () => dev.now());
    dev.property("tone", { type: "uint32", get: () => Math.round(port.tone) });
    isaBusOf(dev).io.add(p.iobase, dev.region("pcspk", port, { size: 1 }));
    dev.stateful(port);
    return port;
  },
});
