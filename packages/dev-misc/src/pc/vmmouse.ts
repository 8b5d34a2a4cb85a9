import { isaDevice } from "@mimus/bus-isa";
import type { InputEvent, InputKind, InputSink } from "@mimus/display";
import { BUTTONS, INPUT_ROUTER, type InputRouter } from "@mimus/display";
import type { DeviceType, Stateful } from "@mimus/machine-core";
import { defineDevice, defineState } from "@mimus/machine-core";
import { z } from "zod";
import { type PortRegisters, REGISTER, Vmport } from "./vmport.ts";

/** Commands of the port, and what the third one is told. */
const COMMAND = { DATA: 39, STATUS: 40, CONTROL: 41 } as const;
const CONTROL = { ENABLE: 0x4541_4552, DISABLE: 0xf5, RELATIVE: 0x4c45_5252, ABSOLUTE: 0x5342_4152 } as const;
const VERSION = 0x3442_554a;
const OFF = 0xffff;
const FAILED = 0xffff_0000;
/** What a command without an answer leaves in its register. */
const MAGIC_ANSWER = 0x564d_5868;
const RELATIVE_PACKET = 0x1_0000;
/** Words of a packet, and of all that wait. */
const PACKET = 4;
const MOST = 1024;

const BIT: Readonly<Record<number, number>> = {
  [BUTTONS["left"]!]: 0x20,
  [BUTTONS["right"]!]: 0x10,
  [BUTTONS["middle"]!]: 0x08,
};

const State = defineState("vmmouse", 1, {
  status: z.int().min(0).max(OFF).default(OFF),
  absolute: z.boolean().default(false),
  queue: z.array(z.uint32()).max(MOST).default([]),
  x: z.uint32().default(0),
  y: z.uint32().default(0),
  dz: z.int().min(-127).max(127).default(0),
  buttons: z.int().min(0).max(0x38).default(0),
});
type State = z.infer<typeof State>;

/** What a {@link VmMouse} is wired to. */
interface VmMousePins {
  /** Makes it the pointer of the screen, or not. */
  listen(on: boolean): void;
  /** Lets the driver of the PS/2 mouse look here. */
  nudge(): void;
}

/** VMware's pointer: packets through the port, the PS/2 mouse's interrupt. Source: VMware, xf86-input-vmmouse, "vmmouse protocol". */
class VmMouse implements InputSink, Stateful {
  readonly name = "vmmouse";
  readonly kinds: readonly InputKind[] = ["absolute"];
  readonly #pins: VmMousePins;
  #s: State = State.parse({});

  constructor(pins: VmMousePins) {
    this.#pins = pins;
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, queue: [...this.#s.queue] });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = { ...s, queue: [...s.queue] };
    this.#pins.listen(s.absolute && s.status !== OFF);
  }

  input(event: InputEvent): void {
    const s = this.#s;
    if (event.type === "place" && event.axis === "x") s.x = event.at * 2;
    else if (event.type === "place") s.y = event.at * 2;
    else if (event.type === "wheel") s.dz = Math.max(-127, Math.min(127, s.dz - event.by));
    else if (event.type === "button") {
      const bit = BIT[event.code] ?? 0;
      s.buttons = event.down ? s.buttons | bit : s.buttons & ~bit;
    }
  }

  sync(): void {
    const s = this.#s;
    if (s.queue.length > MOST - PACKET) return;
    s.queue.push((s.buttons | (s.absolute ? 0 : RELATIVE_PACKET)) >>> 0, s.x, s.y, s.dz >>> 0);
    s.dz = 0;
    this.#pins.nudge();
  }

  /** Takes the number of words that BX names; too many are an error. */
  data(r: PortRegisters): number {
    const s = this.#s;
    const count = r.get(REGISTER.BX) & 0xffff;
    if (count === 0 || count > 6 || count > s.queue.length) {
      this.#disable();
      return FAILED;
    }
    const words = s.queue.splice(0, count);
    const into = [REGISTER.BX, REGISTER.CX, REGISTER.DX, REGISTER.SI, REGISTER.DI];
    for (const [i, word] of words.slice(1).entries()) r.set(into[i]!, word);
    return words[0]!;
  }

  status(): number {
    const s = this.#s;
    return s.status === OFF ? FAILED : ((s.status << 16) | s.queue.length) >>> 0;
  }

  control(r: PortRegisters): number {
    const s = this.#s;
    switch (r.get(REGISTER.BX)) {
      case CONTROL.ENABLE:
        s.status = 0;
        if (s.queue.length < MOST) s.queue.push(VERSION);
        break;
      case CONTROL.DISABLE:
        this.#disable();
        break;
      case CONTROL.RELATIVE:
      case CONTROL.ABSOLUTE:
        s.absolute = r.get(REGISTER.BX) === CONTROL.ABSOLUTE;
        this.#pins.listen(s.absolute && s.status !== OFF);
        break;
      default: // unknown
    }
    return MAGIC_ANSWER;
  }

  #disable(): void {
    const s = this.#s;
    s.status = OFF;
    s.queue.length = 0;
    this.#pins.listen(false);
  }
}

/** VMware's pointer; it needs a `vmport` on its bus. */
export const vmmouse: DeviceType = defineDevice({
  name: "vmmouse",
  parent: isaDevice,
  summary: "VMware mouse",
  userCreatable: false,
  realize(_props, dev) {
    const port = dev.parentBus?.children.map((d) => d.impl).find((impl) => impl instanceof Vmport);
    if (!(port instanceof Vmport)) throw new Error(`${dev.path}: vmmouse needs a vmport on its bus, made before it`);
    let stop: (() => void) | undefined;
    const mouse: VmMouse = new VmMouse({
      listen(on) {
        if (on === (stop !== undefined)) return;
        stop?.();
        const { kind, id } = INPUT_ROUTER;
        const router = dev.machine.backend(kind, id) as InputRouter | undefined;
        stop = on ? router?.register(mouse) : undefined;
      },
      nudge() {
        for (const device of dev.parentBus?.children ?? []) {
          const ps2 = device.child("ps2mouse") as { impl?: { nudge?(): void } } | undefined;
          ps2?.impl?.nudge?.();
        }
      },
    });
    for (const [command, run] of [
      [COMMAND.DATA, (r: PortRegisters) => mouse.data(r)],
      [COMMAND.STATUS, () => mouse.status()],
      [COMMAND.CONTROL, (r: PortRegisters) => mouse.control(r)],
    ] as const)
      dev.onUnrealize(port.add(command, run));
    dev.onUnrealize(() => stop?.());
    dev.stateful(mouse);
    return mouse;
  },
});
