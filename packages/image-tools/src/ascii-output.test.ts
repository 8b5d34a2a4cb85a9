import { expect, test } from "vitest";
import { AsciiOutput } from "./ascii-output.ts";

function collected(act: (out: AsciiOutput) => void): string {
  let all = "";
  const out = new AsciiOutput({ out: (text) => (all += text) });
  act(out);
  out.end();
  return all;
}

test("numbers up to 2^53 - 1 in decimal", () => {
  const some = [0, 1, 9, 10, 99, 100, 999999999, 1e9, 1000000001, 2 ** 31, 2 ** 32, 1e12, 10 ** 15, 2 ** 53 - 1];
  for (const n of some) expect(collected((out) => out.number(n))).toBe(String(n));
});

test("more than the room, in order with other text", () => {
  const line = "x".repeat(1000);
  const whole = collected((out) => {
    for (let i = 0; i < 1000; i++) {
      out.ascii(line);
      out.number(i * 1e7);
      if (i % 100 === 0) out.text("é\n");
    }
  });
  const wanted = Array.from({ length: 1000 }, (_, i) => `${line}${i * 1e7}${i % 100 === 0 ? "é\n" : ""}`).join("");
  expect(whole === wanted).toBe(true);
});

test("bytes where the host takes them", () => {
  const got: number[] = [];
  const out = new AsciiOutput({
    out: () => expect.unreachable(),
    outBytes: (bytes) => void got.push(...bytes),
  });
  out.ascii("ab");
  out.number(7);
  out.end();
  out.end();
  expect(got).toEqual([97, 98, 55]);
});
