import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { BaseChar } from "@mimus/chardev";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin from "./index.ts";
import { serialMm } from "./serial-mm.ts";
import { Uart } from "./uart.ts";

testDevice(serialMm);
testDevice(serialMm, { props: { regshift: 2 } });
testManifest(packageJson, plugin);

const [DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7];
const FCR = IIR;

interface Harness {
  readonly uart: Uart;
  readonly sent: number[];
  /** Whether the wire takes bytes. */
  open: boolean;
  level: boolean;
  ready: number;
  readonly breaks: boolean[];
  write(register: number, value: number): void;
  read(register: number): number;
  type(text: string): void;
}

function harness(): Harness {
  const h: Harness = {
    sent: [],
    open: true,
    level: false,
    ready: 0,
    breaks: [],
    write: (register, value) => h.uart.write(register, 1, value),
    read: (register) => h.uart.read(register, 1),
    type: (text) => [...text].forEach((c) => h.uart.receive(c.charCodeAt(0))),
    uart: new Uart({
      irq: (level) => (h.level = level),
      transmit: (byte) => {
        if (h.open) h.sent.push(byte);
        return h.open;
      },
      receiveReady: () => h.ready++,
      breakOut: (on) => h.breaks.push(on),
    }),
  };
  return h;
}

it("sends at once and reports an empty transmitter", () => {
  const h = harness();
  h.write(DATA, 0x41);
  expect(h.sent).toEqual([0x41]);
  expect(h.read(LSR)).toBe(0x60);
});

it("holds bytes that the wire refuses, and sends them later in order", () => {
  const h = harness();
  h.open = false;
  h.write(FCR, 1);
  for (const byte of [1, 2, 3]) h.write(DATA, byte);
  expect(h.read(LSR)).toBe(0);
  h.write(IER, 2);
  expect(h.level).toBe(false);
  h.open = true;
  h.uart.transmitReady();
  expect(h.sent).toEqual([1, 2, 3]);
  expect(h.level).toBe(true);
  expect(h.read(LSR)).toBe(0x60);
});

it("overwrites the last byte of a full transmit FIFO", () => {
  const h = harness();
  h.open = false;
  h.write(FCR, 1);
  for (let i = 0; i < 20; i++) h.write(DATA, i);
  h.open = true;
  h.uart.transmitReady();
  expect(h.sent).toHaveLength(16);
  expect(h.sent.at(-1)).toBe(19);
});

it("raises THRE when it is enabled, and reading IIR takes it back", () => {
  const h = harness();
  h.write(IER, 2);
  expect(h.level).toBe(true);
  expect(h.read(IIR)).toBe(0x02);
  expect(h.read(IIR)).toBe(0x01);
  expect(h.level).toBe(false);
  h.write(DATA, 0);
  expect(h.level).toBe(true);
});

it("keeps the old bytes when the FIFO overruns, and the new one without FIFO", () => {
  const fifo = harness();
  fifo.write(FCR, 1);
  fifo.type("0123456789abcdefXY");
  expect(fifo.read(LSR)).toBe(0x63);
  expect(fifo.read(LSR)).toBe(0x61);
  expect(Array.from({ length: 17 }, () => fifo.read(DATA)).join()).toBe(
    [..."0123456789abcdef"].map((c) => c.charCodeAt(0)).join() + ",0",
  );
  const single = harness();
  single.type("ab");
  expect(single.read(LSR) & 2).toBe(2);
  expect(single.read(DATA)).toBe(0x62);
});

it("tells received data from a timeout by the trigger level", () => {
  const h = harness();
  h.write(FCR, 0x41); // trigger at 4
  h.write(IER, 1);
  h.type("abc");
  expect(h.read(IIR)).toBe(0xcc);
  h.type("d");
  expect(h.read(IIR)).toBe(0xc4);
  for (let i = 0; i < 4; i++) h.read(DATA);
  expect(h.read(IIR)).toBe(0xc1);
  expect(h.level).toBe(false);
});

it("reports line status before data before transmitter before modem", () => {
  const h = harness();
  h.write(IER, 0x0f);
  h.write(MCR, 0x13); // loopback: RTS and DTR come back, so the inputs change
  h.write(MCR, 0x10);
  expect(h.level).toBe(true);
  h.write(MCR, 0x00);
  h.uart.receiveBreak();
  const causes: number[] = [];
  for (let i = 0; i < 5; i++) {
    const cause = h.read(IIR);
    causes.push(cause);
    if (cause === 6) h.read(LSR);
    if (cause === 4) h.read(DATA);
    if (cause === 0) h.read(MSR);
  }
  expect(causes).toEqual([6, 4, 2, 0, 1]);
});

it("loops back without touching the wire", () => {
  const h = harness();
  h.write(MCR, 0x1f);
  expect(h.read(MSR) & 0xf0).toBe(0xf0);
  h.write(DATA, 0x55);
  expect(h.sent).toEqual([]);
  expect(h.uart.room()).toBe(0);
  expect(h.read(DATA)).toBe(0x55);
  h.write(MCR, 0);
  expect(h.ready).toBeGreaterThan(0);
});

it("shows a break with its character, and sends breaks", () => {
  const h = harness();
  h.write(FCR, 1);
  h.type("a");
  h.uart.receiveBreak();
  expect(h.read(LSR) & 0x90).toBe(0x80);
  h.read(DATA);
  expect(h.read(LSR) & 0x91).toBe(0x91);
  expect(h.read(DATA)).toBe(0);
  h.write(LCR, 0x43);
  h.write(LCR, 0x03);
  expect(h.breaks).toEqual([true, false]);
});

it("keeps divisor, scratch and line control apart", () => {
  const h = harness();
  h.write(LCR, 0x83);
  h.write(DATA, 0x34);
  h.write(IER, 0x12);
  expect([h.read(DATA), h.read(IER)]).toEqual([0x34, 0x12]);
  h.write(LCR, 0x03);
  h.write(SCR, 0xa5);
  expect([h.read(IER), h.read(SCR), h.read(LCR)]).toEqual([0, 0xa5, 3]);
  expect(h.sent).toEqual([]);
});

it("holds input back until the guest has read", () => {
  class Wire extends BaseChar {
    out: number[] = [];
    write(bytes: Uint8Array): number {
      this.out.push(...bytes);
      return bytes.length;
    }
    async close(): Promise<void> {}
    send(text: string): void {
      this.input(Uint8Array.from(text, (c) => c.charCodeAt(0)));
    }
  }
  const bench = new Bench({ types: [serialMm] });
  const wire = new Wire("wire");
  bench.machine.registerBackend("chardev", "w", wire);
  const device = bench.device("serial-mm", { chardev: "w" }, { id: "u" });
  const uart = device.impl as Uart;
  wire.send("a long line");
  let text = "";
  for (let i = 0; i < 11; i++) text += String.fromCharCode(uart.read(DATA, 1));
  expect(text).toBe("a long line");
  expect(uart.read(LSR, 1) & 3).toBe(0);
  uart.write(DATA, 1, 0x21);
  expect(wire.out).toEqual([0x21]);
});
