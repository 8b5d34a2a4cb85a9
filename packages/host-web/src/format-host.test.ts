import { expect, test } from "vitest";

import { webFormatHost } from "./format-host.ts";

test("formats get randomness, time and keys from the browser", async () => {
  const host = webFormatHost();
  const bytes = new Uint8Array(100_000);
  host.random?.(bytes);
  expect(bytes.subarray(90_000).some((b) => b !== 0)).toBe(true);
  expect(host.now?.()).toBeGreaterThan(1.7e12);
  const text = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
  // RFC 6070, second vector.
  const key = await host.pbkdf2?.("sha1", text("password"), text("salt"), 2, 20);
  const hex = Array.from(key ?? [], (b) => b.toString(16).padStart(2, "0")).join("");
  expect(hex).toBe("ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
  expect(host.pbkdf2?.("whirlpool", text("x"), text("y"), 1, 1)).toBeUndefined();
  await host.pause?.();
});
