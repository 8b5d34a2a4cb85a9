import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { afterAll, describe, expect, it } from "vitest";
import { luks } from "./index.ts";

function present(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const hasQemu = present("qemu-img");
const hasCryptsetup = present("cryptsetup");
const folder = mkdtempSync(join(tmpdir(), "mimus-luks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PASSWORD = "open sesame";
const SECRET = ["--object", `secret,id=s,data=${PASSWORD}`];
const SIZE = 100 * 1024;
/** Of a command of qemu-img. */
const MOST_TRIES = 20;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * i) >> 5);
const open = { host: testHost(), options: { "key-secret": "s" } };

let clock = 0;
const host = { ...testHost(), now: () => (clock += 30) };

async function contents(file: MemoryFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.size());
  await file.read(0, bytes);
  return bytes;
}

const VARIANTS: readonly Record<string, string>[] = [
  {},
  { "cipher-alg": "aes-128", "hash-alg": "sha1" },
  { "cipher-mode": "cbc", "ivgen-alg": "essiv", "ivgen-hash-alg": "sha256", "hash-alg": "ripemd160" },
  { "cipher-alg": "serpent-256", "cipher-mode": "cbc", "ivgen-alg": "plain" },
  { "cipher-alg": "twofish-192", "hash-alg": "sha512" },
  { "cipher-alg": "cast5-128", "cipher-mode": "cbc" },
  { "cipher-alg": "cast5-128", "cipher-mode": "ctr" },
  { "cipher-mode": "ctr", "hash-alg": "sha384" },
  { "cipher-mode": "ecb", "hash-alg": "sha224" },
];

describe.skipIf(!hasQemu)("luks and qemu-img (skipped where it is not installed)", () => {
  it.each(VARIANTS)("qemu-img reads %j", { timeout: 60_000 }, async (options) => {
    const path = join(folder, "image");
    writeFileSync(join(folder, "raw"), content);
    const file = new MemoryFile("ours");
    await createImage(luks, file, SIZE, {
      options: { ...options, "key-secret": "s", "iter-time": 1 },
      host: testHost(),
    });
    const ours = await openImage(luks, file, open);
    await ours.write(0, content);
    writeFileSync(path, await contents(file));
    const image = `driver=luks,key-secret=s,file.filename=${path}`;
    const raw = `driver=raw,file.filename=${join(folder, "raw")}`;
    expect(String(execFileSync("qemu-img", ["compare", ...SECRET, "--image-opts", image, raw]))).toContain("identical");
  });

  // Takes seconds: qemu-img measures how fast the processor is.
  it("reads what qemu-img made", { timeout: 60_000 }, async () => {
    const path = join(folder, "image");
    const raw = join(folder, "raw");
    writeFileSync(raw, content);
    const text = "key-secret=s,iter-time=10,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256";
    const convert = ["convert", ...SECRET, "-f", "raw", "-O", "luks", "-o", text, raw, path];
    // It gives up where a busy machine makes that measurement too uneven.
    for (let tries = 1; ; tries++) {
      const { status, stderr } = spawnSync("qemu-img", convert, { encoding: "utf8" });
      if (status === 0) break;
      if (tries === MOST_TRIES || !stderr.includes("Unable to get accurate CPU usage")) throw new Error(stderr);
    }
    const theirs = new MemoryFile("theirs");
    await theirs.write(0, new Uint8Array(readFileSync(path)));
    const node = await openImage(luks, theirs, { ...open, readOnly: true });
    const bytes = new Uint8Array(SIZE);
    await node.read(0, bytes);
    expect(bytes).toEqual(content);
    const info = JSON.parse(String(execFileSync("qemu-img", ["info", "-f", "luks", "--output=json", path])));
    expect((await node.image?.info?.())?.specific).toEqual(info["format-specific"]);
  });
});

describe.skipIf(!hasCryptsetup)("luks and cryptsetup (skipped where it is not installed)", () => {
  it("describe the same header", async () => {
    const file = new MemoryFile("ours");
    await createImage(luks, file, SIZE, { options: { "key-secret": "s", "iter-time": 1 }, host });
    const path = join(folder, "dump");
    writeFileSync(path, await contents(file));
    const dump = String(execFileSync("cryptsetup", ["luksDump", path]));
    expect(dump).toMatch(/Cipher mode:\s+xts-plain64/);
    expect(dump).toMatch(/Key Slot 0: ENABLED/);
  });
});
