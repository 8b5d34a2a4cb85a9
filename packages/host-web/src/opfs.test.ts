import { describe, expect, test } from "vitest";

import { openOpfs, OpfsFile, readOpfs, type SyncAccess } from "./opfs.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The interface over an array, with a quota as browsers have. */
class ArrayAccess implements SyncAccess {
  data: Uint8Array = new Uint8Array(0);
  open = true;
  read(into: Uint8Array, { at }: { at: number }): number {
    const part = this.data.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
  write(from: Uint8Array, { at }: { at: number }): number {
    if (at + from.length > 1000) throw new DOMException("over quota", "QuotaExceededError");
    if (at + from.length > this.data.length) this.truncate(at + from.length);
    this.data.set(from, at);
    return from.length;
  }
  getSize(): number {
    return this.data.length;
  }
  truncate(size: number): void {
    const old = this.data.subarray(0, size);
    this.data = new Uint8Array(size);
    this.data.set(old);
  }
  flush(): void {
    if (!this.open) throw new DOMException("closed", "InvalidStateError");
  }
  close(): void {
    this.open = false;
  }
}

test("a file is written, read, resized", async () => {
  const access = new ArrayAccess();
  const file = new OpfsFile("opfs:disk", access, { writable: true });
  await file.truncate(100);
  expect(await file.write(98, bytes("hello"))).toBe(5);
  expect(await file.size()).toBe(103);
  const into = new Uint8Array(10);
  expect(await file.read(98, into)).toBe(5);
  expect(await file.read(500, into)).toBe(0);
  await file.flush();
  await file.close();
  expect(access.open).toBe(false);
  await expect(file.flush()).rejects.toMatchObject({ kind: "io", message: "flush of 'opfs:disk' failed: closed" });
});

test("a full disk and a read-only one are errors of their own", async () => {
  const file = new OpfsFile("opfs:disk", new ArrayAccess(), { writable: true });
  await expect(file.write(999, bytes("hello"))).rejects.toMatchObject({ kind: "no-space" });
  const shut = new OpfsFile("opfs:disk", new ArrayAccess(), { writable: false });
  await expect(shut.write(0, bytes("x"))).rejects.toMatchObject({ kind: "read-only" });
});

const stored = typeof globalThis.navigator?.storage?.getDirectory === "function";

test.skipIf(stored)("where there is no such file system, the error says so", async () => {
  await expect(readOpfs("x")).rejects.toThrow("this browser keeps no files for pages here");
});

describe.skipIf(!stored)("the browser's own (in a browser only)", () => {
  test("on a page, disks cannot be opened but files can be read", async () => {
    await expect(openOpfs("on-page.img", { writable: true, create: true })).rejects.toMatchObject({
      kind: "unsupported-feature",
    });
    expect(await readOpfs("on-page.img")).toHaveLength(0);
    await expect(readOpfs("none/none.img")).rejects.toMatchObject({ kind: "not-found" });
  });

  test("in a worker, what is written stays, and a second user is told that the disk is in use", async () => {
    const worker = new Worker(new URL("../tests/opfs-worker.ts", import.meta.url), { type: "module" });
    const report = await new Promise<unknown>((resolve, reject) => {
      worker.addEventListener("message", ({ data }) => resolve(data));
      worker.addEventListener("error", ({ message }) => reject(new Error(message)));
    });
    worker.terminate();
    expect(report).toEqual({
      second: "locked",
      size: 8197,
      text: "hello",
      absent: "not-found",
      copies: [false, true, false, 9],
    });
    expect(new TextDecoder().decode((await readOpfs("tests/worker.img")).subarray(8192))).toBe("hello");
  });
});
