import { type IsaBus, createIsaBus } from "@mimus/bus-isa";
import { pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceType, IrqSink, Registers, Stateful } from "@mimus/machine-core";
import { defineDevice, defineState } from "@mimus/machine-core";
import { z } from "zod";
import { SUBSYSTEM } from "../i440fx/devices.ts";
import type { I440FxHost } from "../i440fx/host.ts";

/** Routing registers of PIRQA to PIRQD. */
const PIRQ = 0x60;
const OFF = 0x80;

/** What the registers hold after reset, besides zeros. Source: Intel 82371FB/82371SB (PIIX3) data sheet (290550-002), 2.2. */
const START: readonly (readonly [number, number])[] = [
  [0x4c, 0x4d],
  [0x4e, 0x03],
  [0x60, OFF],
  [0x61, OFF],
  [0x62, OFF],
  [0x63, OFF],
  [0x69, 0x02],
  [0x70, 0x80],
  [0x76, 0x0c],
  [0x77, 0x0c],
  [0x78, 0x02],
  [0xa0, 0x08],
  [0xa8, 0x0f],
];

/** Routes the four PCI interrupt lines to ISA lines. Source: Intel 82371SB data sheet (290550-002), 2.2.13. */
export class PirqRouter {
  readonly #sinks: readonly IrqSink[];
  #routes: readonly number[] = [OFF, OFF, OFF, OFF];
  readonly #host: I440FxHost;

  constructor(isa: IsaBus, host: I440FxHost) {
    this.#sinks = Array.from({ length: 16 }, (_, n) => isa.irq(n));
    this.#host = host;
    host.onPirq = (n) => this.#settle(this.#routes[n]!);
  }

  /** The routing registers were written. */
  update(routes: readonly number[]): void {
    const before = this.#routes;
    this.#routes = routes.slice();
    for (let n = 0; n < 4; n++) {
      if (before[n] === routes[n]) continue;
      this.#settle(before[n]!);
      this.#settle(routes[n]!);
    }
  }

  #settle(route: number): void {
    if ((route & OFF) !== 0) return;
    const irq = route & 15;
    const level = this.#routes.some((r, n) => (r & (OFF | 15)) === irq && this.#host.pirq(n));
    this.#sinks[irq]!(level);
  }
}

const ResetState = defineState("piix3-reset", 1, { value: z.int().min(0).max(0xff).default(0) });

/** Reset control register, port CF9h. Source: Intel 82371SB data sheet (290550-002), 2.4.5. */
export class ResetControl implements Registers, Stateful {
  readonly #reset: () => void;
  #value = 0;

  constructor(reset: () => void) {
    this.#reset = reset;
  }

  read(): number {
    return this.#value;
  }
  write(_offset: number, _size: number, value: number): void {
    // The kind of reset is kept; the bit that starts it is not.
    this.#value = value & 0x02;
    if ((value & 0x04) !== 0) this.#reset();
  }
  reset(): void {
    this.#value = 0;
  }
  save(): unknown {
    return ResetState.parse({ value: this.#value });
  }
  load(raw: unknown): void {
    this.#value = ResetState.parse(raw).value;
  }
}

/** The PCI-to-ISA bridge: bus "isa.0", interrupt routing, reset control. `impl.bus` is the ISA bus. */
export const piix3: DeviceType = defineDevice({
  name: "PIIX3",
  parent: pciDevice,
  summary: "Intel PIIX3 PCI-to-ISA bridge",
  userCreatable: false,
  realize(props, dev) {
    const p = props as unknown as PciProps;
    const f = new PciFunction(
      dev,
      { vendor: 0x8086, device: 0x7000, class: 0x060100, ...SUBSYSTEM },
      { multifunction: p.multifunction },
    );
    const { config } = f;
    config.set(0x06, 2, 0x0200, 0, 0xf900);
    for (let at = 0x40; at < 0x100; at++) config.set(at, 1, 0, 0xff);
    for (const [at, value] of START) config.set(at, 1, value, 0xff);
    const bus = createIsaBus(dev, f.bus.memory);
    const router = new PirqRouter(bus, f.bus.upstream as I440FxHost);
    const routes = (): number[] => [0, 1, 2, 3].map((n) => config.bytes[PIRQ + n]!);
    f.onConfigWrite = (at, n) => {
      if (at < PIRQ + 4 && at + n > PIRQ) router.update(routes());
    };
    const control = new ResetControl(() => dev.machine.requestReset("guest"));
    f.bus.io.add(0xcf9, dev.region("piix3-reset-control", control, { size: 1 }), 1);
    dev.stateful(control, "reset-control");
    f.seal();
    return { bus, function: f };
  },
});
