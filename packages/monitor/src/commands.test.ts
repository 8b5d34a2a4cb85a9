import { InputRouter, type InputEvent } from "@mimus/display";
import { expect, test } from "vitest";

import { execute } from "./commands.ts";
import type { MachineControl } from "./control.ts";
import { HUMAN_QUERIES } from "./queries.ts";

function setup(kinds: readonly ("keys" | "relative" | "absolute")[] = ["keys", "relative"]) {
  const heard: (InputEvent | "sync")[] = [];
  const later: (() => void)[] = [];
  const input = new InputRouter();
  input.register({ name: "all", kinds, input: (e) => heard.push(e), sync: () => heard.push("sync") });
  const machine = {
    name: "guest",
    uuid: "0",
    input,
    jit: () => "Blocks\n",
    post: (act: () => void) => act(),
    later: (_ms: number, act: () => void) => later.push(act),
  } as unknown as MachineControl;
  return { heard, later, machine, run: (line: string) => execute(machine, line) };
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
