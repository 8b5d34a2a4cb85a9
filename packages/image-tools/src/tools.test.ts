import plugin, { FaultyFile, MemoryFile, MemoryFiles, type HostFile } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import { imageText } from "./describe-image.ts";
import type { ToolHost } from "./host.ts";
import { img } from "./img/main.ts";
import { VERBS } from "./img/verbs.ts";
import { io } from "./io/main.ts";
import { amount } from "./io/report.ts";
import { base64, Objects, utf8 } from "./objects.ts";

/** A program in memory. */
function program(
  extra: Partial<ToolHost> = {},
): ToolHost & { out(text: string): void; text: string; errors: string; memory: MemoryFiles } {
  const memory = new MemoryFiles();
  let clock = 0;
  const host = {
    program: "mimus img",
    version: "0",
    registry: new Registry().use(plugin),
    files: memory,
    memory,
    text: "",
    errors: "",
    format: {} as ToolHost["format"],
    out: (text: string) => void (host.text += text),
    err: (text: string) => void (host.errors += text),
    now: () => (clock += 1000),
    delay: async (ns: number) => void (clock += ns),
    ...extra,
  };
  return host;
}

async function make(
  host: ReturnType<typeof program>,
  name: string,
  size: number,
  fill: (at: number) => number,
): Promise<Uint8Array> {
  const bytes = Uint8Array.from({ length: size }, (_, i) => fill(i));
  const file = await host.files.open(name, { writable: true, create: true });
  await file.write(0, bytes);
  await file.close();
  return bytes;
}

async function content(host: ReturnType<typeof program>, name: string): Promise<Uint8Array> {
  return host.files.read(name);
}

describe("mimus img", () => {
  it("copies what is there, in and out of order", async () => {
    const host = program();
    const bytes = await make(host, "a", 5 << 20, (i) => ((i >> 13) % 3 === 0 ? 0 : i & 255));
    for (const options of [[], ["-W"], ["-S", "0"], ["-m", "1"]]) {
      expect(await img(["convert", "-f", "raw", ...options, "a", "b"], host), host.errors).toBe(0);
      expect(sameBytes(await content(host, "b"), bytes)).toBe(true);
      expect(await img(["compare", "-f", "raw", "-F", "raw", "a", "b"], host)).toBe(0);
    }
  });

  it("lets the host copy with -C, and copies itself where that fails", async () => {
    for (const most of [Number.POSITIVE_INFINITY, 2 << 20, 0]) {
      const host = program();
      let copied = 0;
      class CopyingFile extends MemoryFile {
        async copyFrom(other: HostFile, from: number, at: number, length: number): Promise<number> {
          if (copied + length > most) return -1;
          const bytes = new Uint8Array(length);
          await other.read(from, bytes);
          copied += length;
          return this.write(at, bytes);
        }
      }
      const bytes = await make(host, "a", 5 << 20, (i) => (i >> 20 === 1 ? 0 : i & 255));
      host.memory.add("b", new CopyingFile("b"));
      expect(await img(["convert", "-f", "raw", "-C", "a", "b"], host), host.errors).toBe(0);
      expect(sameBytes(await content(host, "b"), bytes)).toBe(true);
      expect(copied).toBe(Math.min(most, 5 << 20));
    }
  });

  it("leaves what was there when an image cannot be made, and nothing where nothing was", async () => {
    const removed: string[] = [];
    const there = new Set(["a"]);
    const host = program({
      allocated: async (path) => (there.has(path) ? 0 : undefined),
      remove: async (path) => void removed.push(path),
    });
    const bytes = await make(host, "a", 8192, () => 7);
    for (const name of ["a", "b"])
      expect(await img(["create", "-o", "preallocation=odd", name, "1M"], host), host.errors).toBe(1);
    expect(await content(host, "a")).toEqual(bytes);
    expect(removed).toEqual(["b"]);
    expect(await img(["create", "a", "0"], host), host.errors).toBe(0);
    expect((await content(host, "a")).length).toBe(0);
  });

  it("bench knows the ways to a disk", async () => {
    const host = program();
    await make(host, "a", 8192, () => 1);
    expect(await img(["bench", "-i", "foo", "a"], host)).toBe(1);
    expect(await img(["bench", "-i", "native", "a"], host)).toBe(1);
    expect(await img(["bench", "-i", "native", "-t", "none", "-c", "4", "-f", "raw", "a"], host), host.errors).toBe(0);
  });

  it("finds the first sector that differs", async () => {
    const host = program();
    await make(host, "a", 8192, () => 1);
    await make(host, "b", 8192, (i) => (i === 5000 ? 2 : 1));
    expect(await img(["compare", "-f", "raw", "-F", "raw", "a", "b"], host)).toBe(1);
    expect(host.text).toBe("Content mismatch at offset 4608!\n");
  });

  it("prints no control character that a name brings", async () => {
    const host = program();
    expect(await img(["info", "a\u001b[2J\u009b\n"], host)).toBe(1);
    expect(host.errors).toBe(
      "mimus img: Could not open 'a\\x1b[2J\\x9b\\x0a': Could not open 'a\\x1b[2J\\x9b\\x0a': no such file\n",
    );
    const names = { filename: "a\u0007", "backing-filename": "b\r\u001b[1A", "full-backing-filename": "c\n" };
    const specific = { data: { "data-file": "d\u0000", bitmaps: [{ name: "e\u001b" }] } };
    const snapshots = [
      { id: "1", name: "f\n2", "vm-state-size": 0, "date-sec": 0, "vm-clock-sec": 0, "vm-clock-nsec": 0 },
    ];
    const text = imageText({ ...names, format: "x", "virtual-size": 0, snapshots, "format-specific": specific });
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(text.split("\n")).toHaveLength(14);
  });

  it("salvages what can be read, and says what cannot", async () => {
    const host = program();
    await make(host, "a", 8192, () => 7);
    const { open } = host.files;
    host.files.open = async (path, options): Promise<HostFile> => {
      const file = await open.call(host.files, path, options);
      if (path !== "a") return file;
      const read = file.read.bind(file);
      return Object.assign(new FaultyFile(file), {
        read: async (at: number, into: Uint8Array): Promise<number> => {
          if (at <= 1024 && at + into.length > 1024) throw Object.assign(new Error("bad sector"), { code: "EIO" });
          return read(at, into);
        },
      });
    };
    expect(await img(["convert", "-f", "raw", "a", "b"], host)).toBe(1);
    expect(host.errors).toMatch(/error while reading at byte 0: /);
    host.errors = "";
    expect(await img(["convert", "-f", "raw", "--salvage", "a", "b"], host), host.errors).toBe(0);
    expect(host.errors).toMatch(/warning: error while reading offset 1024: /);
    const got = await content(host, "b");
    expect([got[1023], got[1024], got[1535], got[1536]]).toEqual([7, 0, 0, 7]);
  });

  it("ends when the user wants it, and says what is not complete", async () => {
    let asked = 0;
    const host = program({ interrupted: () => asked++ > 1 });
    await make(host, "a", 8 << 20, () => 1);
    expect(await img(["convert", "-f", "raw", "-m", "1", "a", "b"], host)).toBe(130);
    expect(host.errors).toContain("interrupted: 'b' is not complete");
  });

  it("keeps to a rate", async () => {
    const host = program();
    await make(host, "a", 4 << 20, () => 1);
    const before = host.now();
    expect(await img(["convert", "-f", "raw", "-r", "1M", "a", "b"], host)).toBe(0);
    expect((host.now() - before) / 1e9).toBeGreaterThan(3.5);
  });

  it("shows how far it is", async () => {
    const host = program();
    await make(host, "a", 4 << 20, () => 1);
    expect(await img(["convert", "-p", "-f", "raw", "a", "b"], host)).toBe(0);
    expect(host.text).toMatch(/^ {4}\(0\.00\/100%\)\r.*\(100\.00\/100%\)\r\n$/s);
  });

  it.each(VERBS.map((v) => v.name))("%s has help", async (name) => {
    const host = program();
    expect(await img([name, "-h"], host)).toBe(0);
    expect(host.text).toMatch(new RegExp(`^usage: mimus img ${name} `));
  });

  it("knows no option twice", () => {
    for (const verb of VERBS) {
      const names = verb.options.flatMap((o) => [o.short, o.long]).filter((n) => n !== undefined);
      expect(new Set(names).size, verb.name).toBe(names.length);
    }
  });
});

describe("mimus io", () => {
  it("rounds amounts as printf does, and knows the ways to a disk", async () => {
    expect([6.0625 * 2 ** 20, 1.1875 * 1024, 1.9385 * 1024, 1536, 1023].map(amount)).toEqual([
      "6.062 MiB",
      "1.188 KiB",
      "1.938 KiB",
      "1.500 KiB",
      "1023 bytes",
    ]);
    const host = program();
    await make(host, "a", 1024, () => 1);
    expect(await io(["-i", "odd", "-f", "raw", "-c", "length", "a"], host)).toBe(1);
    expect(host.errors).toContain("Invalid aio option: odd");
    expect(await io(["-i", "io_uring", "-f", "raw", "-c", "length", "a"], host)).toBe(0);
  });

  it("reads commands one by one", async () => {
    const host = program({
      program: "mimus io",
      async *lines(prompt) {
        for (const line of ["length", "write -P 3 0 512", "read -vP 3 0 16", "nonsense", "", "q", "length"]) {
          host.out(prompt);
          yield line;
        }
      },
    });
    await make(host, "a", 1024, () => 0);
    expect(await io(["-f", "raw", "a"], host)).toBe(1);
    expect(host.errors).toBe('command "nonsense" not found\n');
    expect(host.text).toContain("mimus io> 1 KiB\n");
    expect(host.text).toContain("00000000:  03 03 03 03 03 03 03 03 03 03 03 03 03 03 03 03  ................\n");
    expect(host.text.match(/mimus io> /g)).toHaveLength(6);
  });
});

describe("secrets", () => {
  it("come as text, in base64, from files, and sealed", async () => {
    const host = program({
      unseal: async (_key, _iv, data) => Uint8Array.of(...data.subarray(0, 2), ...Array<number>(14).fill(14)),
    });
    await make(host, "key", 3, (i) => i);
    const objects = new Objects(host);
    objects.add("secret,id=a,data=pass,,word");
    objects.add("secret,id=b,data=cGFzcw==,format=base64");
    objects.add("secret,id=c,file=key");
    objects.add(`secret,id=m,data=${"k".repeat(32)}`);
    objects.add("secret,id=d,data=aGkgdGhlcmUsIHRoZXJl,format=base64,keyid=m,iv=AAAAAAAAAAAAAAAAAAAAAA==");
    expect(await objects.secret("a")).toEqual(utf8("pass,word"));
    expect([objects.remove("a"), objects.remove("a")]).toEqual([true, false]);
    await expect(objects.secret("a")).rejects.toThrow("No secret with id 'a'");
    expect(await objects.secret("b")).toEqual(utf8("pass"));
    expect(await objects.secret("c")).toEqual(Uint8Array.of(0, 1, 2));
    expect(await objects.secret("d")).toEqual(utf8("hi"));
    await expect(objects.secret("x")).rejects.toThrow("No secret with id 'x'");
  });
  it.each([
    ["foo", "Parameter 'qom-type' does not accept value 'foo'"],
    ["secret,data=x", "Parameter 'id' is missing"],
    ["secret,id=s", "Either 'file' or 'data' must be provided"],
    ["secret,id=s,data=x,file=y", "'file' and 'data' are mutually exclusive"],
    ["secret,id=s,data=x,format=y", "Parameter 'format' does not accept value 'y'"],
    ["secret,id=s,data=x,keyid=y", "IV is required to decrypt secret"],
    ["secret,id=s,data=x,foo=y", "Parameter 'foo' is unexpected"],
    ['{"qom-type":"secret","id":"a","data":5}', "Parameter 'data' of a secret expects a string"],
  ])("%s: %s", (text, message) => expect(() => new Objects(program()).add(text)).toThrow(message));
  it("refuses what is no base64", () => expect(() => base64("a b!")).toThrow("Base64"));
});

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}
