import { describe, expect, test } from "vitest";

import { BlobFile } from "./blob-file.ts";
import { download, type Progress } from "./download.ts";
import { webFiles } from "./files.ts";

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const answer =
  (body: BodyInit | null, init?: ResponseInit): typeof fetch =>
  () =>
    Promise.resolve(new Response(body, init));

describe("download", () => {
  test("reads the body and tells how far it is", async () => {
    const seen: Progress[] = [];
    const get = answer("kernel", { headers: { "content-length": "6" } });
    const got = await download("http://x/linux", { fetch: get, onProgress: (p) => seen.push(p) });
    expect(got).toEqual(bytes("kernel"));
    expect(seen[0]).toEqual({ loaded: 0, total: 6 });
    expect(seen.at(-1)).toEqual({ loaded: 6, total: 6 });
  });

  test("does not believe the length of compressed bytes", async () => {
    const get = answer("kernel", { headers: { "content-length": "3", "content-encoding": "gzip" } });
    const seen: Progress[] = [];
    await download("http://x/linux", { fetch: get, onProgress: (p) => seen.push(p) });
    expect(seen.at(-1)).toEqual({ loaded: 6, total: undefined });
  });

  test.each([
    [answer(null, { status: 404, statusText: "Not Found" }), "not-found", "the server answered 404 Not Found"],
    [answer(null, { status: 403 }), "permission", "the server answered 403"],
    [answer(null, { status: 500 }), "io", "the server answered 500"],
    [() => Promise.reject(new TypeError("refused")), "io", "refused. Is the server there"],
    [answer("short", { headers: { "content-length": "9" } }), "io", "stopped after 5 of 9 bytes"],
    [
      answer(new ReadableStream({ pull: (c) => c.error(new Error("gone")) })),
      "io",
      "stopped after 0 bytes: gone. Try again",
    ],
  ] as [typeof fetch, string, string][])("fails in one line %#", async (get, kind, message) => {
    const failed = await download("http://x/linux", { fetch: get }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ kind });
    expect((failed as Error).message).toContain("'http://x/linux'");
    expect((failed as Error).message).toContain(message);
    expect((failed as Error).message).not.toContain("\n");
  });

  test("can be given up", async () => {
    const signal = AbortSignal.abort();
    await expect(download("data:,x", { signal })).rejects.toThrow(/Could not fetch/);
  });
});

describe("a Blob as a disk", () => {
  test("writes stay in memory and the Blob is as it was", async () => {
    const blob = new Blob([new Uint8Array(200_000).fill(7)]);
    const file = new BlobFile("disk", blob, { writable: true });
    expect(await file.size()).toBe(200_000);
    await Promise.all([file.write(65_530, bytes("hello world!")), file.write(65_536 + 100, bytes("more"))]);
    const into = new Uint8Array(150);
    expect(await file.read(65_520, into)).toBe(150);
    const expected = new Uint8Array(150).fill(7);
    expected.set(bytes("hello world!"), 10);
    expected.set(bytes("more"), 116);
    expect(into).toEqual(expected);
    expect(file.written).toBe(2 * 65_536);
    expect(new Uint8Array(await blob.arrayBuffer()).every((b) => b === 7)).toBe(true);
    expect(await file.read(199_990, into)).toBe(10);
    expect(await file.read(300_000, into)).toBe(0);
    await file.flush();
    await file.close();
  });

  test("what was cut off reads as zeroes when it grows again", async () => {
    const file = new BlobFile("disk", new Blob([new Uint8Array(100_000).fill(7)]), { writable: true });
    await file.write(90_000, bytes("x"));
    await file.truncate(50_000);
    await file.truncate(100_000);
    const into = new Uint8Array(100_000);
    await file.read(0, into);
    expect(into.subarray(0, 50_000).every((b) => b === 7)).toBe(true);
    expect(into.subarray(50_000).every((b) => b === 0)).toBe(true);
  });

  test("zeroed pages take no memory, and can be written again", async () => {
    const file = new BlobFile("disk", new Blob([new Uint8Array(300_000).fill(7)]), { writable: true });
    await file.zero(1000, 250_000);
    expect(file.written).toBe(2 * 65_536);
    await file.write(140_000, bytes("x"));
    await file.punch(299_000, 50_000);
    expect(await file.size()).toBe(300_000);
    const into = new Uint8Array(300_000);
    await file.read(0, into);
    const expected = new Uint8Array(300_000).fill(7).fill(0, 1000, 251_000).fill(0, 299_000);
    expected.set(bytes("x"), 140_000);
    expect(into).toEqual(expected);
  });

  test("one opened for reading refuses to be written", async () => {
    const file = new BlobFile("disk", new Blob(["x"]), { writable: false });
    await expect(file.write(0, bytes("y"))).rejects.toMatchObject({ kind: "read-only" });
    await expect(file.truncate(0)).rejects.toMatchObject({ kind: "read-only" });
  });

  test("agrees with plain memory on a long run of changes", async () => {
    let seed = 1;
    const next = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    const start = Uint8Array.from({ length: 150_000 }, (_, i) => i);
    let model: Uint8Array = start.slice();
    const file = new BlobFile("disk", new Blob([start]), { writable: true });
    for (let i = 0; i < 200; i++) {
      const at = next(400_000);
      const grow = (end: number): void => {
        if (end <= model.length) return;
        const old = model;
        model = new Uint8Array(end);
        model.set(old);
      };
      const what = next(8);
      if (what === 0) {
        await file.truncate(at);
        model = model.slice(0, at);
        grow(at);
      } else if (what === 1) {
        const length = next(200_000);
        await file.zero(at, length);
        grow(at + length);
        model.fill(0, at, at + length);
      } else {
        const data = new Uint8Array(next(100_000)).fill(next(256));
        await file.write(at, data);
        grow(data.length === 0 ? model.length : at + data.length);
        model.set(data, data.length === 0 ? 0 : at);
      }
      const into = new Uint8Array(next(150_000));
      const from = next(400_000);
      const got = await file.read(from, into);
      const expected = model.subarray(from, from + into.length);
      expect(got).toBe(expected.length);
      expect(indexOfDifference(into, expected)).toBe(-1);
    }
  });
});

function indexOfDifference(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return i;
  return -1;
}

describe("the files of a page", () => {
  const chosen = new Map([["disk.img", new Blob(["content"])]]);

  test("are those chosen by name, and addresses", async () => {
    const seen: string[] = [];
    const files = webFiles({
      chosen,
      base: "http://x/dir/",
      fetch: answer("fetched"),
      onProgress: (p) => seen.push(p),
    });
    expect(await files.read("disk.img")).toEqual(bytes("content"));
    expect(await files.read("linux")).toEqual(bytes("fetched"));
    expect(new Set(seen)).toEqual(new Set(["linux"]));
    const disk = await files.open("disk.img", { writable: true });
    await disk.write(0, bytes("CON"));
    const into = new Uint8Array(7);
    await disk.read(0, into);
    expect(into).toEqual(bytes("CONtent"));
    const remote = await files.open("root.img", { writable: false });
    expect(await remote.size()).toBe(7);
  });

  test("say what is wrong", async () => {
    const files = webFiles({ base: "http://x/", fetch: answer(null, { status: 404 }) });
    await expect(files.read("linux")).rejects.toThrow("Could not fetch 'http://x/linux': the server answered 404");
    await expect(files.open("new.img", { writable: true, create: true })).rejects.toThrow("opfs:new.img");
    await expect(files.open("opfs:", { writable: true })).rejects.toThrow("opfs:");
    await expect(webFiles({ base: "" }).read("linux")).rejects.toThrow("neither a chosen file nor an address");
  });
});
