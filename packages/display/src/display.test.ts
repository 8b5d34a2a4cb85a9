import { describe, expect, it } from "vitest";
import { DisplayConsole, InputRouter, png, ppm } from "./index.ts";
import type { InputEvent, InputKind, InputSink, Rect } from "./index.ts";

class Sink implements InputSink {
  readonly name: string;
  readonly kinds: readonly InputKind[];
  events: InputEvent[] = [];
  syncs = 0;
  constructor(name: string, kinds: readonly InputKind[]) {
    this.name = name;
    this.kinds = kinds;
  }
  input(e: InputEvent): void {
    this.events.push(e);
  }
  sync(): void {
    this.syncs++;
  }
}

describe("the input router", () => {
  it("brings each kind to the device registered last", () => {
    const r = new InputRouter();
    const keyboard = new Sink("k", ["keys"]);
    const mouse = new Sink("m", ["relative"]);
    const tablet = new Sink("t", ["absolute"]);
    for (const s of [keyboard, mouse]) r.register(s);
    expect([r.key("ret", true), r.key("nokey", true), r.absolute]).toEqual([true, false, false]);
    r.button("left", true);
    const off = r.register(tablet);
    r.button("left", false);
    r.button("wheel-up", true);
    r.move("x", 5);
    r.place("y", 99999);
    r.sync();
    r.sync();
    expect(keyboard.events).toEqual([{ type: "key", code: 28, down: true }]);
    expect(mouse.events.map((e) => e.type)).toEqual(["button", "move"]);
    expect(tablet.events).toEqual([
      { type: "button", code: 0x110, down: false },
      { type: "wheel", by: 1 },
      { type: "place", axis: "y", at: 32767 },
    ]);
    expect([keyboard.syncs, mouse.syncs, tablet.syncs]).toEqual([1, 1, 1]);
    off();
    expect(r.absolute).toBe(false);
  });
});

describe("a console", () => {
  it("refuses surfaces that do not fit and cuts updates to the screen", () => {
    const c = new DisplayConsole("vga");
    const seen: Rect[] = [];
    let sizes = 0;
    c.listen({ resized: () => void sizes++, updated: (r) => void seen.push(r) });
    c.setSurface({ width: 10, height: 10, stride: 40, bytes: new Uint8Array(399) });
    c.setSurface({ width: 1e6, height: 1, stride: 4e6, bytes: new Uint8Array(10) });
    expect(c.surface).toBeUndefined();
    c.setSurface({ width: 10, height: 10, stride: 40, bytes: new Uint8Array(400) });
    c.update({ x: -5, y: 8, width: 100, height: 100 });
    c.update({ x: 50, y: 0, width: 1, height: 1 });
    expect([sizes, seen]).toEqual([1, [{ x: 0, y: 8, width: 10, height: 2 }]]);
  });
});

describe("pictures", () => {
  const surface = { width: 2, height: 1, stride: 12, bytes: Uint8Array.of(1, 2, 3, 0, 4, 5, 6, 0, 9, 9, 9, 9) };

  it("are pixmaps with red first", () => {
    expect(String.fromCharCode(...ppm(surface))).toBe("P6\n2 1\n255\n\x03\x02\x01\x06\x05\x04");
  });

  it("are PNG, stored or compressed", () => {
    const file = png(surface);
    const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
    expect(hex(file)).toBe(
      "89504e470d0a1a0a" +
        "0000000d49484452000000020000000108020000007b40e8dd" +
        "00000012494441547801010700f8ff0003020106050400470016992cf36c" +
        "0000000049454e44ae426082",
    );
    expect(hex(file.subarray(-12))).toBe("0000000049454e44ae426082");
    const big = { width: 300, height: 100, stride: 1200, bytes: new Uint8Array(120_000).fill(0x80) };
    expect(png(big).length).toBe(8 + 25 + 12 + 2 + 10 + 90_100 + 4 + 12);
    expect(png(big, () => new Uint8Array(3)).length).toBe(8 + 25 + 12 + 3 + 12);
  });
});
