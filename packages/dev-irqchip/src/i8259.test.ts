import { describe, expect, it } from "vitest";
import { I8259 } from "./i8259.ts";

function pair() {
  let int = false;
  const master: I8259 = new I8259({ master: true, elcrMask: 0xf8 }, (level) => (int = level));
  const slave: I8259 = new I8259({ master: false, elcrMask: 0xde }, (level) => master.input(2, level));
  master.cascade(slave);
  master.reset();
  slave.reset();
  const start = (chip: I8259, base: number, icw4 = 1): void => {
    for (const [port, value] of [
      [0, 0x11],
      [1, base],
      [1, 4],
      [1, icw4],
      [1, 0],
    ] as const)
      chip.write(port, 1, value);
  };
  start(master, 0x08);
  start(slave, 0x70);
  return {
    master,
    slave,
    start,
    int: () => int,
    ack: () => master.acknowledge(),
    eoi: (chip = master, command = 0x20) => chip.write(0, 1, command),
    irr: (chip = master) => (chip.write(0, 1, 0x0a), chip.read(0, 1)),
    isr: (chip = master) => (chip.write(0, 1, 0x0b), chip.read(0, 1)),
    pulse: (chip: I8259, n: number) => (chip.input(n, true), chip.input(n, false)),
  };
}

describe("requests", () => {
  it("gives the vector of the highest priority, and holds back lower ones until the end of interrupt", () => {
    const p = pair();
    p.pulse(p.master, 4);
    p.pulse(p.master, 1);
    expect([p.int(), p.irr()]).toEqual([true, 0x12]);
    expect([p.ack(), p.isr(), p.int()]).toEqual([0x09, 0x02, false]);
    p.pulse(p.master, 0);
    expect(p.int()).toBe(true);
    expect(p.ack()).toBe(0x08);
    p.eoi();
    expect(p.int()).toBe(false);
    p.eoi();
    expect([p.int(), p.ack()]).toEqual([true, 0x0c]);
  });

  it("takes the slave's vector through input 2", () => {
    const p = pair();
    p.slave.input(4, true);
    expect([p.int(), p.ack(), p.isr(), p.isr(p.slave)]).toEqual([true, 0x74, 0x04, 0x10]);
    p.eoi(p.slave);
    p.eoi();
    expect([p.isr(), p.isr(p.slave), p.int()]).toEqual([0, 0, false]);
  });

  it("masks", () => {
    const p = pair();
    p.master.write(1, 1, 0x01);
    p.pulse(p.master, 0);
    expect([p.int(), p.irr(), p.master.read(1, 1)]).toEqual([false, 1, 1]);
    p.master.write(1, 1, 0);
    expect(p.int()).toBe(true);
  });

  it("asks again while a level is held, and gives a spurious vector when it has gone", () => {
    const p = pair();
    p.master.elcr = 0xff;
    expect(p.master.elcr).toBe(0xf8);
    p.master.input(5, true);
    expect(p.ack()).toBe(0x0d);
    p.eoi();
    expect(p.int()).toBe(true);
    p.master.input(5, false);
    expect([p.int(), p.ack(), p.isr()]).toEqual([false, 0x0f, 0]);
  });

  it("gives the slave's spurious vector when only the slave's request has gone", () => {
    const p = pair();
    p.slave.elcr = 0x08;
    p.slave.input(3, true);
    const irq = p.master;
    p.slave.input(3, false);
    expect([p.irr(irq), p.ack()]).toEqual([0x04, 0x77]);
    expect(p.isr()).toBe(4);
  });
});

describe("modes", () => {
  it("rotates priorities", () => {
    const p = pair();
    p.pulse(p.master, 3);
    p.ack();
    p.eoi(p.master, 0xa0);
    p.pulse(p.master, 3);
    p.pulse(p.master, 4);
    expect(p.ack()).toBe(0x0c);
    p.eoi(p.master, 0x64);
    p.eoi(p.master, 0xc6); // 7 is the highest now
    p.pulse(p.master, 7);
    expect(p.ack()).toBe(0x0f);
  });

  it("ends interrupts by itself, with rotation when told so", () => {
    const p = pair();
    p.start(p.master, 8, 3);
    p.pulse(p.master, 0);
    expect([p.ack(), p.isr()]).toEqual([8, 0]);
    p.eoi(p.master, 0x80);
    p.pulse(p.master, 0);
    p.ack();
    p.pulse(p.master, 0);
    p.pulse(p.master, 6);
    expect(p.ack()).toBe(0x0e);
  });

  it("lets lower priorities through in special mask mode", () => {
    const p = pair();
    p.pulse(p.master, 1);
    p.ack();
    p.pulse(p.master, 5);
    expect(p.int()).toBe(false);
    p.master.write(1, 1, 0x02);
    p.master.write(0, 1, 0x68);
    expect([p.int(), p.ack()]).toEqual([true, 0x0d]);
    p.eoi(); // ends 5: 1 is masked
    expect(p.isr()).toBe(0x02);
    p.master.write(0, 1, 0x48);
    p.eoi();
    expect(p.isr()).toBe(0);
  });

  it("takes a second interrupt of the slave in special fully nested mode", () => {
    const p = pair();
    p.start(p.master, 8, 0x11);
    p.slave.input(5, true);
    p.ack();
    p.slave.input(1, true);
    expect([p.int(), p.ack()]).toEqual([true, 0x71]);
  });

  it("is polled", () => {
    const p = pair();
    p.master.write(0, 1, 0x0c);
    expect(p.master.read(0, 1)).toBe(0);
    p.pulse(p.master, 6);
    p.master.write(0, 1, 0x0c);
    expect([p.master.read(0, 1), p.isr(), p.int()]).toEqual([0x86, 0x40, false]);
  });

  it("forgets edges at initialization, and needs no third word when it is alone", () => {
    const p = pair();
    p.master.input(3, true);
    p.start(p.master, 0x20);
    expect([p.int(), p.irr()]).toEqual([false, 0]);
    p.master.write(0, 1, 0x12);
    p.master.write(1, 1, 0x40);
    p.master.write(1, 1, 0xfe);
    expect(p.master.read(1, 1)).toBe(0xfe);
    p.pulse(p.master, 0);
    expect(p.ack()).toBe(0x40);
  });
});

it("tells what it holds", () => {
  const p = pair();
  p.pulse(p.master, 4);
  expect(p.master.inspect["pic"]!()).toBe("pic0: irr=10 imr=00 isr=00 hprio=0 irq_base=08 rr_sel=0 elcr=00 fnm=0\n");
  expect(p.master.inspect["irq"]!()).toBe("IRQ statistics for isa-i8259:\n 4: 1\n");
});
