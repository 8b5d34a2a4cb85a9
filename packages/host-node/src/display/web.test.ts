import { request } from "node:http";

import { DisplayConsole, InputRouter } from "@mimus/display";
import { expect, test } from "vitest";

import { webDisplay } from "./web.ts";

function target() {
  const console = new DisplayConsole("vga");
  const input = new InputRouter();
  const keys: number[] = [];
  input.register({
    name: "k",
    kinds: ["keys"],
    input: (e) => void (e.type === "key" && keys.push(e.down ? e.code : -e.code)),
    sync: () => {},
  });
  const bytes = new Uint8Array(64);
  console.setSurface({ width: 4, height: 4, stride: 16, bytes });
  return { title: 'a "guest" & <more>', console, input, keys, post: (act: () => void) => act() };
}

test("a browser gets a page, the screen, then what changes; and is heard", async () => {
  const t = target();
  const display = await webDisplay(t, { host: "127.0.0.1", port: 0 });
  const page = await fetch(display.address);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const text = await page.text();
  expect(text).toContain("<title>a &#34;guest&#34; &#38; &#60;more&#62;</title>");
  expect(text).not.toMatch(/(?:src|href)=/);
  const frame = async (): Promise<Uint32Array> =>
    new Uint32Array(await (await fetch(`${display.address}frame?session=1`)).arrayBuffer());
  expect([...(await frame()).subarray(0, 7)]).toEqual([4, 4, 1, 0, 0, 4, 4]);
  const later = frame();
  setTimeout(() => t.console.update({ x: 1, y: 2, width: 1, height: 1 }), 60);
  expect([...(await later)]).toEqual([4, 4, 1, 1, 2, 1, 1, 0xff000000]);
  const say = (body: string): Promise<Response> => fetch(`${display.address}input`, { method: "POST", body });
  expect((await say('[["key","KeyA",true],["key","KeyA",false]]')).status).toBe(204);
  expect(t.keys).toEqual([30, -30]);
  expect((await say("{nonsense")).status).toBe(400);
  expect((await say(`"${"x".repeat(70_000)}"`)).status).toBe(400);
  await display.close();
  expect(t.console.watched).toBe(false);
  await expect(fetch(display.address)).rejects.toThrow();
});

test("whoever does not know the address, or comes under another name, gets nothing", async () => {
  const display = await webDisplay(target(), { host: "127.0.0.1", port: 0 });
  const { port, pathname } = new URL(display.address);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${port}/guess/frame`)).status).toBe(404);
  const status = await new Promise((resolve) => {
    request({ port, path: pathname, headers: { host: "evil.example" } }, (r) => resolve(r.statusCode)).end();
  });
  expect(status).toBe(404);
  await display.close();
});
