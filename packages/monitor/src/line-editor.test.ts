import { expect, test } from "vitest";

import { LineEditor } from "./line-editor.ts";

function editor(): { type: (text: string) => void; lines: string[]; output: () => string } {
  const lines: string[] = [];
  let output = "";
  const edit = new LineEditor({
    prompt: "> ",
    write: (text) => (output += text),
    line: (text) => lines.push(text),
    complete: (text) => ["stop", "status", "system_reset"].filter((word) => word.startsWith(text)),
  });
  return { type: (text) => edit.input(Uint8Array.from(text, (c) => c.charCodeAt(0))), lines, output: () => output };
}

test.each([
  ["plain text", "quit\r", ["quit"]],
  ["backspace", "quux\x7f\x7fit\r", ["quit"]],
  ["Ctrl-U clears", "junk\x15help\r", ["help"]],
  ["Ctrl-W drops a word", "info mtre\x17cpus\r", ["info cpus"]],
  ["arrows insert in the middle", "hlp\x1b[D\x1b[De\r", ["help"]],
  ["Ctrl-A and Ctrl-E", "elp\x01h\x05!\r", ["help!"]],
  ["history", "one\rtwo\r\x1b[A\x1b[A\r", ["one", "two", "one"]],
  ["a unique completion", "sys\t\r", ["system_reset "]],
  ["a common stem", "st\t\r", ["st"]],
  ["unknown sequences leave no trace", "a\x1b[3~b\r", ["ab"]],
])("%s", (_, typed, expected) => {
  const { type, lines } = editor();
  type(typed);
  expect(lines).toEqual(expected);
});

test("several completions are listed", () => {
  const { type, output } = editor();
  type("st\t");
  expect(output()).toContain("stop  status");
});

test("a line has a bound", () => {
  const { type, lines } = editor();
  type(`${"x".repeat(5000)}\r`);
  expect(lines[0]?.length).toBe(4096);
});
