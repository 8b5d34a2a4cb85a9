import { DisplayConsole, InputRouter, type InputEvent } from "@mimus/display";
import { AddressSpace, MemoryRegion } from "@mimus/machine-core";
import { expect, test } from "vitest";

import type { CharBackend } from "@mimus/chardev";

import { execute } from "./commands.ts";
import { HumanMonitor } from "./hmp.ts";
import type { MachineControl } from "./control.ts";
import { HUMAN_QUERIES } from "./queries.ts";

function setup(kinds: readonly ("keys" | "relative" | "absolute")[] = ["keys", "relative"]) {
  const heard: (InputEvent | "sync")[] = [];
  const later: (() => void)[] = [];
  const saved: [string, number, string][] = [];
  const screens: DisplayConsole[] = [];
  const input = new InputRouter();
  input.register({ name: "all", kinds, input: (e) => heard.push(e), sync: () => heard.push("sync") });
  const machine = {
    name: "guest",
    uuid: "0",
    input,
    screens,
    saveFile: (path: string, bytes: Uint8Array) =>
      void saved.push([path, bytes.length, String.fromCharCode(bytes[1]!)]),
    inspect: (topic: string) => (topic === "pic" ? ["pic0: irr=00\n"] : []),
    jit: () => "Blocks\n",
    post: (act: () => void) => act(),
    later: (_ms: number, act: () => void) => later.push(act),
  } as unknown as MachineControl;
  return { heard, later, machine, screens, saved, run: (line: string) => execute(machine, line) };
}
const codes = (heard: readonly (InputEvent | "sync")[]): (number | string)[] =>
  heard.flatMap((e) => (e !== "sync" && e.type === "key" ? [e.down ? e.code : -e.code] : []));

test("sendkey presses keys together and lets them go in the opposite order", () => {
  const { heard, later, run } = setup();
  expect(run("sendkey ctrl-alt-delete")).toBe("");
  expect(codes(heard)).toEqual([29, 56, 111]);
  later.shift()?.();
  expect(codes(heard).slice(3)).toEqual([-111, -56, -29]);
  expect(run("sendkey 0x1e 5")).toBe("");
  expect(codes(heard).at(-1)).toBe(30);
});

test("the pointer moves, turns its wheel and has buttons", () => {
  const { heard, run } = setup();
  run("mouse_move 5 -3 1");
  run("mouse_button 5");
  expect(heard).toEqual([
    { type: "move", axis: "x", by: 5 },
    { type: "move", axis: "y", by: -3 },
    { type: "wheel", by: -1 },
    "sync",
    { type: "button", code: 0x110, down: true },
    { type: "button", code: 0x112, down: false },
    { type: "button", code: 0x111, down: true },
    "sync",
  ]);
  expect(run("info mice")).toBe("* Mouse #0: all\n");
  expect(run("info name")).toBe("guest\n");
});

test.each([
  ["sendkey ctrl-shft-a", /unknown key: 'shft'; did you mean .*shift/],
  ["sendkey", /usage: sendkey/],
  ["sendkey a 0", /'0' is not 1 to 100000 ms/],
  ["mouse_move 1", /usage: mouse_move/],
  ["mouse_button 9", /usage: mouse_button/],
])("%s is one clear line", (line, message) => {
  expect(setup().run(line)).toMatch(message);
});

test("without a device that hears it the user is told which to add", () => {
  expect(setup([]).run("sendkey a")).toMatch(/-device virtio-keyboard-device/);
  expect(setup(["keys"]).run("mouse_move 1 1")).toMatch(/-device virtio-mouse-device/);
});

test("the translator's counters, for people and as QMP has them", () => {
  const { run, machine } = setup();
  expect(run("info jit")).toBe("Blocks\n");
  expect(HUMAN_QUERIES["x-query-jit"]?.(machine)).toEqual({ "human-readable-text": "Blocks\n" });
});

test("screendump saves what a screen shows", () => {
  const { run, screens, saved } = setup();
  expect(run("screendump a.ppm")).toMatch(/no display device/);
  const screen = new DisplayConsole("vga");
  screens.push(screen);
  expect(run("screendump a.ppm")).toMatch(/shown nothing/);
  screen.refresh = () => screen.setSurface({ width: 2, height: 2, stride: 8, bytes: new Uint8Array(16) });
  expect(run("screendump a.ppm")).toBe("");
  expect(run("screendump a.png -f png vga 0")).toBe("");
  expect(saved.map(([path, , second]) => [path, second])).toEqual([
    ["a.ppm", "6"],
    ["a.png", "P"],
  ]);
  expect(run("screendump a -f jpg")).toMatch(/invalid parameter 'jpg'/);
  expect(run("screendump a nothing")).toMatch(/no screen 'nothing'; there are: vga/);
  expect(run("screendump")).toMatch(/usage/);
});

test("parts of the machine tell about themselves", () => {
  const { run } = setup();
  expect(run("info pic")).toBe("pic0: irr=00\n");
  expect(run("info tlb")).toMatch(/nothing of the kind/);
});

test("the memory is a tree, and flat on demand", () => {
  const { run, machine } = setup();
  const root = MemoryRegion.container("system", 2 ** 52);
  const registers = { read: () => 0, write: () => {} };
  const ports = MemoryRegion.mmio({ name: "ports", size: 16 }, registers);
  root.add(0x1000, ports, 1);
  root.add(0x800, MemoryRegion.alias("again", ports, 4, 8));
  (machine as { spaces: unknown }).spaces = [new AddressSpace("system", root)];
  expect(String(run("info mtree")).split("\n")).toEqual([
    "address-space: memory",
    "  0000000000000000-ffffffffffffffff (prio 0, i/o): system",
    "    0000000000000800-0000000000000807 (prio 0, i/o): alias again @ports 0000000000000004-000000000000000b",
    "    0000000000001000-000000000000100f (prio 1, i/o): ports",
    "",
    "memory-region: ports",
    "  0000000000001000-000000000000100f (prio 1, i/o): ports",
    "",
    "",
  ]);
  expect(run("info mtree -f")).toContain(
    "  0000000000000800-0000000000000807 (prio 0, i/o): ports @0000000000000004\n",
  );
});

test("a pointer is chosen by its number", () => {
  const { run, machine } = setup(["relative"]);
  machine.input.register({ name: "newer", kinds: ["relative"], input: () => {}, sync: () => {} });
  expect(run("info mice")).toBe("* Mouse #0: newer\n  Mouse #1: all\n");
  expect(run("mouse_set 1")).toBe("");
  expect(run("info mice")).toMatch(/^\* Mouse #0: all/);
  expect(run("mouse_set 7")).toMatch(/Mouse at index '7' not found/);
});

test("a line waits for the command before it", async () => {
  const shown: string[] = [];
  let type: (text: string) => void = () => {};
  let finish: () => void = () => {};
  const char = {
    open: true,
    attach: (frontend: { receive(bytes: Uint8Array): void }) =>
      void (type = (text) => frontend.receive(Uint8Array.from(text, (c) => c.charCodeAt(0)))),
    write: (bytes: Uint8Array) => {
      shown.push(String.fromCharCode(...bytes));
      return bytes.length;
    },
    frontendReady: () => {},
  } as unknown as CharBackend;
  const jobs = new Proxy({}, { get: () => () => [] });
  const graph = {
    backends: () => [],
    nodes: () => [],
    drained: () => new Promise<void>((resolve) => (finish = resolve)),
  };
  const machine = { ...setup().machine, version: "1", block: { graph, jobs } } as unknown as MachineControl;
  const monitor = new HumanMonitor(char, machine);
  type("commit all\rinfo version\r");
  await new Promise((resolve) => setTimeout(resolve, 1));
  finish();
  expect(monitor).toBeDefined();
  expect(shown.join("")).toMatch(/commit all[\s\S]*\(qemu\) [\s\S]*info version[\s\S]*1\r\n/);
});
