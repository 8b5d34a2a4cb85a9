import { describe, expect, it } from "vitest";
import { CryptoError } from "./errors.ts";
import { amendLuks } from "./luks-amend.ts";
import { createLuks, luksOptions } from "./luks-create.ts";
import { formatLuksHeader, parseLuksHeader } from "./luks-header.ts";
import { openLuks } from "./luks.ts";
import { ascii } from "./testing.ts";

let seed = 1;
let clock = 0;
const host = {
  random(into: Uint8Array): void {
    // As Web Crypto's getRandomValues.
    if (into.length > 65536) throw new RangeError(`${into.length} bytes are too many`);
    into.forEach((_, i) => (into[i] = seed = (seed * 75 + 74) % 65537));
  },
  now: () => (clock += 30),
};

class Memory {
  readonly bytes: Uint8Array = new Uint8Array(3 << 20);
  read = async (at: number, into: Uint8Array): Promise<void> => into.set(this.bytes.subarray(at, at + into.length));
  write = async (at: number, from: Uint8Array): Promise<void> => this.bytes.set(from, at);
  flush = async (): Promise<void> => undefined;
}

const VARIANTS = [
  {},
  {
    "cipher-alg": "aes-128",
    "cipher-mode": "cbc",
    "ivgen-alg": "essiv",
    "ivgen-hash-alg": "sha256",
    "hash-alg": "sha1",
  },
  { "cipher-alg": "serpent-256", "hash-alg": "sha512" },
  { "cipher-alg": "twofish-192", "cipher-mode": "ctr", "ivgen-alg": "plain", "hash-alg": "ripemd160" },
  { "cipher-alg": "cast5-128", "cipher-mode": "cbc", "ivgen-alg": "plain64" },
  { "cipher-mode": "ecb", "hash-alg": "sha224" },
];

describe("LUKS1", () => {
  it.each(VARIANTS)("opens what it makes: %j", async (names) => {
    const io = new Memory();
    const made = await createLuks(io, luksOptions({ ...names, "iter-time": 1 }), ascii("secret"), host);
    const opened = await openLuks(io, "x", ascii("secret"), {});
    expect(opened.masterKey).toEqual(made.masterKey);
    expect(opened.header).toEqual(made.header);
    expect(parseLuksHeader(formatLuksHeader(opened.header), "x")).toEqual(opened.header);
    await expect(openLuks(io, "x", ascii("wrong"), {})).rejects.toMatchObject({ kind: "permission" });
  });

  it("fills all slots, then refuses another; never erases the last", { timeout: 30_000 }, async () => {
    const io = new Memory();
    const v = await createLuks(io, luksOptions({ "iter-time": 1 }), ascii("0"), host);
    for (let i = 1; i < 8; i++)
      await amendLuks(io, v, { state: "active", newPassword: ascii(`${i}`), iterTime: 1 }, host);
    await expect(amendLuks(io, v, { state: "active", newPassword: ascii("8") }, host)).rejects.toThrow(/all keyslots/);
    await expect(amendLuks(io, v, { state: "active", keyslot: 3, newPassword: ascii("8") }, host)).rejects.toThrow(
      /overwrite/,
    );
    expect((await openLuks(io, "x", ascii("7"), {})).slot).toBe(7);
    for (let i = 0; i < 7; i++) await amendLuks(io, v, { state: "inactive", keyslot: i }, host);
    await expect(amendLuks(io, v, { state: "inactive", keyslot: 0 }, host)).rejects.toThrow(/already erased/);
    await expect(amendLuks(io, v, { state: "inactive", keyslot: 7 }, host)).rejects.toThrow(/only active/);
    await expect(amendLuks(io, v, { state: "inactive", oldPassword: ascii("7") }, host)).rejects.toThrow(
      /irreversibly/,
    );
    await expect(amendLuks(io, v, { state: "inactive", oldPassword: ascii("x") }, host)).rejects.toThrow(/No keyslots/);
    await expect(amendLuks(io, v, { state: "inactive" }, host)).rejects.toThrow(/must be given/);
    await expect(amendLuks(io, v, { state: "inactive", keyslot: 8 }, host)).rejects.toThrow(/between 0 and 7/);
    await openLuks(io, "x", ascii("7"), {});
  });

  it("names what is wrong with a header, in one line", async () => {
    const io = new Memory();
    await createLuks(io, luksOptions({ "iter-time": 1 }), ascii("0"), host);
    const cases: readonly (readonly [number, readonly number[], RegExp])[] = [
      [0, [0], /no LUKS header/],
      [6, [0, 2], /LUKS version 2 is not supported/],
      [8, [0x61, 0x61], /cipher-name 'aas'/],
      [8, Array<number>(32).fill(65), /cipher-name without an end/],
      [40, [0x78, 0x78], /cipher-mode/],
      [72, [0x6d], /hash-spec 'mha256'/],
      [104, [0, 0, 0, 9], /key slot 0 end .* payload-offset 4608/],
      [108, [255, 255, 255, 255], /key-bytes 4294967295 must be 32, 48, 64/],
      [164, [255, 255, 255, 255], /mk-digest-iter 4294967295 must be 1 to 100000000/],
      [208, [1, 2, 3, 4], /key slot 0 state 0x1020304/],
      [212, [0, 0, 0, 0], /key slot 0 iterations 0/],
      [248, [0, 0, 0, 1], /key slot 0 offset 1 sectors/],
      [252, [0, 0, 0, 1], /key slot 0 stripes 1 must be 4000/],
      [296, [0, 0, 0, 9], /key slot 1 offset .* overlaps key slot 0/],
      [248, [255, 255, 255, 255], /within 2\^32 sectors/],
    ];
    for (const [at, bytes, message] of cases) {
      const bad = new Uint8Array(io.bytes.subarray(0, 592));
      bad.set(bytes, at);
      expect(() => parseLuksHeader(bad, "x"), `${at}`).toThrow(message);
    }
  });

  it("refuses or takes any header without another error", async () => {
    const io = new Memory();
    await createLuks(io, luksOptions({ "iter-time": 1 }), ascii("0"), host);
    for (let i = 0; i < 3000; i++) {
      const bad = new Uint8Array(io.bytes.subarray(0, 592));
      for (let j = 0; j <= i % 4; j++) bad[(i * 7919 + j * 104729) % 592] = (i * 31 + j * 17) & 255;
      try {
        parseLuksHeader(bad, "x");
      } catch (e) {
        expect(e).toBeInstanceOf(CryptoError);
      }
    }
  });

  it("refuses options that do not go together", () => {
    expect(() => luksOptions({ "cipher-alg": "des" })).toThrow(/must be one of aes-128/);
    expect(() => luksOptions({ "ivgen-hash-alg": "sha1" })).toThrow(/essiv only/);
    expect(() => luksOptions({ "cipher-mode": "cbc", "ivgen-alg": "essiv", "ivgen-hash-alg": "sha1" })).toThrow(
      /essiv:sha1/,
    );
    expect(() => luksOptions({ "iter-time": 0 })).toThrow(/iter-time 0/);
  });
});
