import busIsa from "@mimus/bus-isa";
import { INPUT_ROUTER, InputRouter } from "@mimus/display";
import { Bench, testDevice } from "@mimus/testkit";
import { expect, it } from "vitest";
import plugin, { vmmouse, vmport } from "../index.ts";

const isa = { plugins: [busIsa], setup: (_m: unknown, b: Bench) => void b.device("isabus-bridge") };
testDevice(vmport, isa);
testDevice(vmmouse, {
  ...isa,
  types: [vmport],
  setup: (m, b) => {
    isa.setup(m, b);
    b.device("vmport");
  },
});

function machine() {
  const b = new Bench({ plugins: [busIsa, plugin] });
  const router = new InputRouter();
  b.machine.registerBackend(INPUT_ROUTER.kind, INPUT_ROUTER.id, router);
  b.device("isabus-bridge");
  b.device("vmport");
  b.device("vmmouse");
  const r = [0, 0, 0, 0, 0, 0, 0, 0];
  const cpu = { reg: (n: number) => BigInt(r[n]!) | (7n << 32n), setReg: (n: number, v: number) => (r[n] = v) };
  (b.machine.cpus as unknown as { cpu: unknown }[]).push({ cpu });
  b.machine.reset();
  return {
    router,
    r,
    ask: (command: number, bx = 0, magic = 0x564d5868) => {
      [r[0], r[1], r[2], r[3]] = [magic, command, 0x5658, bx];
      return b.machine.io!.read(0x5658, 4);
    },
  };
}

it("answers through registers, to those who know the word", () => {
  const m = machine();
  expect([m.ask(10), m.r[3], m.r[1]]).toEqual([6, 0x564d5868, 2]);
  expect([m.ask(10, 0, 1), m.ask(99)]).toEqual([0xffffffff, 0xffffffff]);
});

it("gives positions to a driver that wants them", () => {
  const m = machine();
  expect(m.ask(40)).toBe(0xffff0000);
  m.ask(41, 0x45414552);
  expect([m.ask(40), m.ask(39, 1), m.router.absolute]).toEqual([1, 0x3442554a, false]);
  m.ask(41, 0x53424152);
  expect(m.router.absolute).toBe(true);
  m.router.place("x", 0x4000);
  m.router.place("y", 100);
  m.router.button("left", true);
  m.router.sync();
  expect([m.ask(40), m.ask(39, 4), m.r[3], m.r[1], m.r[2]]).toEqual([4, 0x20, 0x8000, 200, 0]);
  expect([m.ask(39, 6), m.ask(40), m.router.absolute]).toEqual([0xffff0000, 0xffff0000, false]);
});
