import { describe, expect, it } from "vitest";
import {
  AnsiScreen,
  CP437,
  DisplayConsole,
  DOM_KEYS,
  InputRouter,
  KEYS,
  png,
  ppm,
  remoteInput,
  ScreenFeed,
  typedKeys,
} from "./index.ts";
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

describe("a terminal", () => {
  const screen = (text: string, cursor?: { column: number; row: number }) => ({
    columns: 4,
    rows: 1,
    cells: Uint16Array.from(text, (c) => 0x0700 | c.charCodeAt(0)),
    cursor,
  });

  it("shows characters with their colours, and then what has changed", () => {
    const ansi = new AnsiScreen();
    const first = screen("ab\xc4 ");
    first.cells[1] = 0x1e62;
    expect(ansi.draw(first, 80, 25)).toBe(
      "\x1b[0m\x1b[2J\x1b[1;1H\x1b[0;37;40ma\x1b[0;93;44mb\x1b[0;37;40m─ \x1b[?25l",
    );
    expect(ansi.draw(first, 80, 25)).toBe("");
    expect(ansi.draw(screen("ab\xc4x", { column: 3, row: 0 }), 80, 25)).toBe(
      "\x1b[1;2H\x1b[0;37;40mb\x1b[1;4Hx\x1b[1;4H\x1b[?25h",
    );
    expect(ansi.draw(screen("ab\xc4x", { column: 0, row: 0 }), 80, 25)).toBe("\x1b[1;1H\x1b[?25h");
    expect(ansi.draw("640x480", 80, 25)).toContain("640x480");
    expect(ansi.draw("640x480", 80, 25)).toBe("");
    expect(ansi.draw(screen("abcd"), 2, 25)).toContain("ab\x1b[?25l");
    expect(CP437).toHaveLength(256);
  });

  it.each([
    ["aZ~ \r", [["a"], ["shift", "z"], ["shift", "grave_accent"], ["spc"], ["ret"]]],
    ["\x03\x1bx\x1b", [["ctrl", "c"], ["alt", "x"], ["esc"]]],
    ["\x1b[A\x1bOP\x1b[1;5C\x1b[24~\x1b[Z", [["up"], ["f1"], ["ctrl", "right"], ["f12"], ["shift", "tab"]]],
    ["\x1b\x1b\x7f\x1b[99~\xe9", [["esc"], ["alt", "backspace"]]],
  ])("sends %j as keys", (text, chords) => {
    expect(typedKeys(text)).toEqual(chords);
    for (const name of chords.flat()) expect(KEYS[name]).toBeDefined();
  });

  it("and a browser has keys that there are", () => {
    expect(Object.values(DOM_KEYS).filter((name) => KEYS[name] === undefined)).toEqual([]);
  });
});

describe("a browser", () => {
  it("hears what changes on the screen", () => {
    const console = new DisplayConsole("vga");
    const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
    console.setSurface({ width: 4, height: 4, stride: 16, bytes });
    const feed = new ScreenFeed(console);
    const words = (message: Uint8Array<ArrayBuffer> | undefined): number[] => [...new Uint32Array(message!.buffer)];
    expect(words(feed.take()).slice(0, 8)).toEqual([4, 4, 1, 0, 0, 4, 4, 0xff000102]);
    expect(feed.take()).toBeUndefined();
    console.update({ x: 1, y: 2, width: 2, height: 1 });
    console.update({ x: 3, y: 3, width: 1, height: 1 });
    expect(words(feed.take())).toEqual([4, 4, 2, 1, 2, 2, 1, 0xff242526, 0xff28292a, 3, 3, 1, 1, 0xff3c3d3e]);
    for (let n = 0; n < 40; n++) console.update({ x: n & 3, y: 1, width: 1, height: 2 });
    expect(words(feed.take())[2]).toBeLessThan(32);
    feed.close();
    expect(console.watched).toBe(false);
  });

  it("is heard, whatever it says", () => {
    const r = new InputRouter();
    const all = new Sink("all", ["keys", "relative"]);
    r.register(all);
    remoteInput(r, [
      ["key", "KeyQ", true],
      ["key", "constructor", true],
      ["move", 1e9, Number.NaN],
      ["button", 2, true],
      ["button", 99, true],
      ["wheel", -1],
      "nonsense",
      null,
    ]);
    remoteInput(r, { not: "a list" });
    expect(all.events).toEqual([
      { type: "key", code: 16, down: true },
      { type: "move", axis: "x", by: 1000 },
      { type: "move", axis: "y", by: 0 },
      { type: "button", code: 0x111, down: true },
      { type: "wheel", by: 1 },
    ]);
    expect(all.syncs).toBe(1);
  });
});
