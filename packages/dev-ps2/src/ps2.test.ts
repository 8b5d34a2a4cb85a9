import busIsa, { IsaBus, isabusBridge } from "@mimus/bus-isa";
import { INPUT_ROUTER, InputRouter, KEYS } from "@mimus/display";
import { AddressSpace } from "@mimus/machine-core";
import { Bench, Seeded, testDevice, testManifest } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { i8042, ps2Kbd, ps2Mouse, STATUS } from "./index.ts";
import { scanBytes, set3Code } from "./scancodes.ts";

testManifest(packageJson, plugin);
testDevice(ps2Kbd);
testDevice(ps2Mouse);
testDevice(i8042, {
  plugins: [busIsa, plugin].slice(0, 1),
  types: [ps2Kbd, ps2Mouse],
  setup: (_m, bench) => void bench.device("isabus-bridge"),
});

interface Pc {
  readonly bench: Bench;
  readonly input: InputRouter;
  readonly irqs: string[];
  readonly a20: boolean[];
  readonly resets: string[];
  status(): number;
  data(): number;
  /** Everything that waits in the output buffer. */
  drain(): number[];
  command(value: number, ...parameters: number[]): void;
  send(value: number): void;
  mouse(value: number): number[];
  press(name: string, down?: boolean): void;
}

function pc(): Pc {
  const bench = new Bench({ plugins: [busIsa, plugin], types: [isabusBridge] });
  const isa = bench.device("isabus-bridge").impl as IsaBus;
  const input = new InputRouter();
  bench.machine.registerBackend(INPUT_ROUTER.kind, INPUT_ROUTER.id, input);
  const device = bench.device("i8042", {}, { map: false });
  const io = new AddressSpace("io", isa.io);
  const irqs: string[] = [];
  const a20: boolean[] = [];
  const resets: string[] = [];
  for (const n of [1, 12]) isa.connect(n, (level) => irqs.push(`${level ? "+" : "-"}${n}`));
  device.irqOut("a20").connect((level) => a20.push(level));
  bench.machine.on("reset-request", (why: unknown) => resets.push(String(why)));
  bench.machine.reset();
  const p: Pc = {
    bench,
    input,
    irqs,
    a20,
    resets,
    status: () => io.read(0x64, 1),
    data: () => io.read(0x60, 1),
    drain: () => {
      const bytes: number[] = [];
      while (p.status() & STATUS.OUTPUT_FULL && bytes.length < 100) bytes.push(p.data());
      return bytes;
    },
    command: (value, ...parameters) => {
      io.write(0x64, 1, value);
      for (const each of parameters) io.write(0x60, 1, each);
    },
    send: (value) => io.write(0x60, 1, value),
    mouse: (value) => {
      p.command(0xd4, value);
      return p.drain();
    },
    press: (name, down = true) => {
      input.key(name, down);
      input.sync();
    },
  };
  return p;
}

describe("the controller", () => {
  it("tests itself and its ports", () => {
    const p = pc();
    expect(p.status()).toBe(0x18);
    p.command(0xaa);
    expect([p.status(), p.drain()]).toEqual([0x1d, [0x55]]);
    p.command(0xab);
    expect(p.drain()).toEqual([0]);
    p.command(0xa9);
    expect(p.drain()).toEqual([0]);
    p.command(0x20);
    expect(p.drain()).toEqual([0x07]);
    p.command(0x62, 0x5a);
    p.command(0x22);
    expect(p.drain()).toEqual([0x5a]);
  });

  it("lets A20 through, and resets the machine", () => {
    const p = pc();
    p.command(0xdd);
    p.command(0xdf);
    p.command(0xd1, 0x01);
    p.command(0xd0);
    expect([p.a20, p.drain()]).toEqual([[true, false, true, false], [0x01]]);
    p.command(0xd1, 0x03);
    expect(p.resets).toEqual([]);
    p.command(0xfe);
    p.command(0xd1, 0x02);
    expect(p.resets).toEqual(["guest", "guest"]);
    p.command(0xff);
    expect(p.resets).toHaveLength(2);
  });

  it("raises an interrupt for each byte, and none when it is off", () => {
    const p = pc();
    p.press("a");
    p.press("a", false);
    expect(p.irqs).toEqual(["+1"]);
    expect(p.data()).toBe(0x1c);
    expect(p.irqs).toEqual(["+1", "-1", "+1"]);
    expect(p.drain()).toEqual([0xf0, 0x1c]);
    p.command(0x60, 0x40);
    p.irqs.length = 0;
    p.press("a");
    p.press("a", false);
    expect([p.drain(), p.irqs]).toEqual([[0x1e, 0x9e], []]);
  });

  it("holds the keyboard back while its clock is off, but keeps what is in the buffer", () => {
    const p = pc();
    p.press("1");
    p.command(0xad);
    p.press("2");
    expect(p.drain()).toEqual([0x16]);
    p.command(0xae);
    expect(p.drain()).toEqual([0x1e]);
    p.command(0xad);
    p.send(0xee); // writing to the keyboard switches it on
    expect(p.drain()).toEqual([0xee]);
  });

  it("puts bytes into the buffers as if they came from a device", () => {
    const p = pc();
    p.command(0xd2, 0x12);
    expect([p.status() & 0x21, p.drain(), p.irqs]).toEqual([0x01, [0x12], ["+1", "-1"]]);
    p.command(0xd3, 0x34);
    expect([p.status() & 0x21, p.drain(), p.irqs.slice(2)]).toEqual([0x21, [0x34], ["+12", "-12"]]);
  });
});

describe("the keyboard", () => {
  it("answers commands before keys that wait", () => {
    const p = pc();
    p.command(0xad);
    p.press("a");
    p.send(0xf2);
    expect(p.drain()).toEqual([0xfa, 0xab, 0x83, 0x1c]);
    p.send(0xff);
    expect(p.drain()).toEqual([0xfa, 0xaa]);
    p.send(0x00);
    expect(p.drain()).toEqual([0xfe]);
    p.send(0xed);
    p.send(0x07);
    expect(p.drain()).toEqual([0xfa, 0xfa]);
    p.send(0xf5);
    p.press("a");
    expect(p.drain()).toEqual([0xfa]);
  });

  it("speaks three sets", () => {
    const p = pc();
    const typed = (): number[] => {
      for (const down of [true, false]) p.press("right", down);
      return p.drain();
    };
    expect(typed()).toEqual([0xe0, 0x74, 0xe0, 0xf0, 0x74]);
    p.send(0xf0);
    p.send(1);
    expect([p.drain(), typed()]).toEqual([
      [0xfa, 0xfa],
      [0xe0, 0x4d, 0xe0, 0xcd],
    ]);
    p.send(0xf0);
    p.send(3);
    p.drain();
    expect(typed()).toEqual([0x6a]);
    p.send(0xfc);
    p.send(0x6a);
    p.send(0xf4);
    p.drain();
    expect(typed()).toEqual([0x6a, 0xf0, 0x6a]);
    p.send(0xf0);
    p.send(0);
    expect(p.drain()).toEqual([0xfa, 0xfa, 3]);
  });

  it("translates what set 2 says into set 1, for every key alike", () => {
    const p = pc();
    p.command(0x60, 0x47);
    for (const [name, code] of Object.entries(KEYS)) {
      for (const down of [true, false]) p.press(name, down);
      const none = { shift: false, ctrl: false, alt: false };
      expect(p.drain(), name).toEqual([...scanBytes(1, code, true, none), ...scanBytes(1, code, false, none)]);
    }
  });

  it("has its own way with Print and Pause", () => {
    const p = pc();
    p.command(0x60, 0x47);
    p.press("pause");
    expect(p.drain()).toEqual([0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5]);
    p.press("ctrl");
    p.press("pause");
    expect(p.drain()).toEqual([0x1d, 0xe0, 0x46, 0xe0, 0xc6]);
    p.press("ctrl", false);
    p.press("alt");
    p.press("print");
    expect(p.drain()).toEqual([0x9d, 0x38, 0x54]);
  });

  it("drops keys when its buffer is full, and says so", () => {
    const p = pc();
    for (let n = 0; n < 40; n++) p.press("left");
    const bytes = p.drain();
    expect(bytes.length).toBeLessThanOrEqual(17);
    expect(bytes.at(-1)).toBe(0);
    p.press("a");
    expect(p.drain()).toEqual([0x1c]);
  });

  it("has a code in set 3 for each key of 101", () => {
    const codes = Object.entries(KEYS)
      .filter(([, key]) => key <= 88 && key !== 99)
      .map(([, key]) => set3Code(key));
    expect(codes.filter((c) => c === 0)).toEqual([]);
    expect(new Set(codes).size).toBeGreaterThan(80);
  });
});

describe("the mouse", () => {
  it("reports movements and buttons in three bytes", () => {
    const p = pc();
    p.input.move("x", 5);
    p.input.sync();
    expect(p.drain()).toEqual([]); // off at first
    expect(p.mouse(0xf4)).toEqual([0xfa]);
    p.input.move("x", -3);
    p.input.move("y", 4);
    p.input.button("left", true);
    p.input.sync();
    expect(p.status() & 0x21).toBe(0x21);
    expect(p.drain()).toEqual([0x39, 0xfd, 0xfc]);
    p.input.move("x", 300);
    p.input.sync();
    expect(p.drain()).toEqual([0x09, 127, 0, 0x09, 127, 0, 0x09, 46, 0]);
    p.input.button("left", false);
    p.input.sync();
    expect(p.drain()).toEqual([0x08, 0, 0]);
  });

  it("has a wheel and five buttons for who knocks", () => {
    const p = pc();
    const rate = (...rates: number[]): void => {
      for (const each of rates) {
        p.mouse(0xf3);
        p.mouse(each);
      }
    };
    expect(p.mouse(0xf2)).toEqual([0xfa, 0]);
    rate(200, 100, 80);
    expect(p.mouse(0xf2)).toEqual([0xfa, 3]);
    p.mouse(0xf4);
    p.input.button("wheel-up", true);
    p.input.sync();
    expect(p.drain()).toEqual([8, 0, 0, 0xff]);
    rate(200, 200, 80);
    expect(p.mouse(0xf2)).toEqual([0xfa, 4]);
    p.input.button("extra", true);
    p.input.button("wheel-down", true);
    p.input.sync();
    expect(p.drain()).toEqual([8, 0, 0, 0x21]);
    expect(p.mouse(0xff)).toEqual([0xfa, 0xaa, 0]);
    expect(p.mouse(0xf2)).toEqual([0xfa, 0]);
  });

  it("tells its state, and movements when it is asked", () => {
    const p = pc();
    p.mouse(0xe8);
    p.mouse(3);
    p.mouse(0xe7);
    expect(p.mouse(0xe9)).toEqual([0xfa, 0x10, 3, 100]);
    p.mouse(0xf0);
    p.mouse(0xf4);
    p.input.move("x", 1);
    p.input.sync();
    expect(p.drain()).toEqual([]);
    expect(p.mouse(0xeb)).toEqual([0xfa, 8, 1, 0]);
    p.mouse(0xee);
    expect(p.mouse(0x42)).toEqual([0x42]);
    expect(p.mouse(0xec)).toEqual([0xfa]);
  });
});

it("survives whatever a guest writes", () => {
  const p = pc();
  const random = new Seeded(1);
  for (let n = 0; n < 50_000; n++) {
    const value = random.below(256);
    if (n % 3 === 0) p.command(value);
    else if (n % 3 === 1) p.send(value);
    else p.data();
    if (n % 50 === 0) p.press("a");
    if (n % 70 === 0) {
      p.input.move("x", random.below(1000) - 500);
      p.input.sync();
    }
  }
  p.bench.machine.loadState(p.bench.machine.saveState({ ram: false }));
  p.bench.machine.reset();
  expect(p.status()).toBe(0x18);
});
