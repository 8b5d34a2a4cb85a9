import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { acmeLcd } from "./acme-lcd.ts";
import plugin from "./index.ts";
import { DR, IR, Lcd } from "./lcd.ts";

testDevice(acmeLcd);
testDevice(acmeLcd, { props: { regshift: 2, timing: "on", rows: 4, columns: "20" } });
testManifest(packageJson, plugin);

function lcd(timing = false): Lcd & { type(text: string): void; tell(...codes: number[]): void } {
  let now = 0;
  const chip = new Lcd({ now: () => (now += 2_000_000), timing, guestError: (m) => expect.fail(m) });
  return Object.assign(chip, {
    type: (text: string) => [...text].forEach((c) => chip.write(DR, 1, c.charCodeAt(0))),
    tell: (...codes: number[]) => codes.forEach((c) => chip.write(IR, 1, c)),
  });
}

it("shows nothing until it is switched on", () => {
  const d = lcd();
  d.type("Hi");
  expect(d.text(4, 1)).toEqual(["    "]);
  d.tell(0x0c);
  expect(d.text(4, 1)).toEqual(["Hi  "]);
});

it("goes from the first line to the second", () => {
  const d = lcd();
  d.tell(0x38, 0x0c, 0x80 | 0x26);
  d.type("abc");
  d.tell(0xc2);
  d.type("d");
  expect(d.text(4, 2)[1]).toBe("c d ");
  expect(d.read(IR)).toBe(0x43);
});

it("shifts the display and homes it", () => {
  const d = lcd();
  d.tell(0x38, 0x0f);
  d.type("mimus");
  d.tell(0x18, 0x18);
  expect(d.text(3, 1)).toEqual(["mus"]);
  d.tell(0x02);
  expect(d.text(3, 1)).toEqual(["mim"]);
  d.tell(0x01);
  expect(d.text(3, 1)).toEqual(["   "]);
});

it("takes a byte in two halves in 4-bit mode", () => {
  const d = lcd();
  d.tell(0x20, 0x00, 0xc0);
  for (const half of [0x40, 0x80]) d.write(DR, 1, half);
  expect(d.text(2, 1)).toEqual(["H "]);
  expect([d.read(IR), d.read(IR)]).toEqual([0x00, 0x10]);
});

it("keeps user-defined characters", () => {
  const d = lcd();
  d.tell(0x40 | 8);
  d.type("\u001f\u0011");
  d.tell(0x40 | 8);
  expect([d.read(DR), d.read(DR)]).toEqual([0x1f, 0x11]);
});

it("is busy for as long as the sheet says", () => {
  const bench = new Bench({ types: [acmeLcd] });
  const device = bench.device("acme-lcd", { timing: true });
  const at = bench.base(device);
  bench.machine.system.write(at, 1, 0x01);
  expect(bench.machine.system.read(at, 1)).toBe(0x80);
  bench.machine.system.write(at + 1, 1, 0x41);
  expect(bench.machine.log.count("guest-error")).toBe(1);
  bench.advance(1_520_000);
  expect(bench.machine.system.read(at, 1)).toBe(0);
  expect(device.getProperty("text")).toBe(`${" ".repeat(16)}\n${" ".repeat(16)}`);
});
