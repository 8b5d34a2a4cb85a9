import { describe, expect, it } from "vitest";
import { afMerge, afSplit } from "./af.ts";
import { digest, HASH_NAMES } from "./hashes.ts";
import { pbkdf2 } from "./kdf.ts";
import { ascii, toHex } from "./testing.ts";

describe("hashes", () => {
  it("of 'abc': FIPS 180-4 and the RIPEMD-160 paper", () => {
    const abc = ascii("abc");
    expect(toHex(digest("sha1", abc))).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
    expect(toHex(digest("sha224", abc))).toBe("23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
    expect(toHex(digest("sha256", abc))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(toHex(digest("sha384", abc)).slice(0, 32)).toBe("cb00753f45a35e8bb5a03d699ac65007");
    expect(toHex(digest("sha512", abc)).slice(0, 32)).toBe("ddaf35a193617abacc417349ae204131");
    expect(toHex(digest("ripemd160", ascii("a"), ascii("bc")))).toBe("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
  });
});

describe("pbkdf2", () => {
  it("RFC 6070", async () => {
    const run = async (p: string, s: string, c: number, n: number): Promise<string> =>
      toHex(await pbkdf2("sha1", ascii(p), ascii(s), c, n));
    expect(await run("password", "salt", 1, 20)).toBe("0c60c80f961f0e71f3a9b524af6012062fe037a6");
    expect(await run("password", "salt", 2, 20)).toBe("ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    expect(await run("password", "salt", 4096, 20)).toBe("4b007901b765489abead49d926f721d065a429c1");
    expect(await run("passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, 25)).toBe(
      "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
    );
    expect(await run("pass\0word", "sa\0lt", 4096, 16)).toBe("56fa6aa75548099dcc37d7f03425e0c3");
  });

  it("pauses between slices, and takes the host's own", async () => {
    let pauses = 0;
    await pbkdf2("sha256", ascii("p"), ascii("s"), 10_000, 32, { pause: async () => void pauses++ });
    expect(pauses).toBeGreaterThan(2);
    const own = new Uint8Array([1]);
    expect(await pbkdf2("sha256", ascii("p"), ascii("s"), 1000, 1, { pbkdf2: async () => own })).toBe(own);
    expect(toHex(await pbkdf2("sha1", ascii("password"), ascii("salt"), 1, 4, { pbkdf2: () => undefined }))).toBe(
      "0c60c80f",
    );
    await expect(pbkdf2("sha1", own, own, 100_000_001, 1)).rejects.toMatchObject({ kind: "bad-option" });
    await expect(pbkdf2("sha1", own, own, 0, 1)).rejects.toMatchObject({ kind: "bad-option" });
  });
});

describe("anti-forensic splitter", () => {
  it("gives the key back, and nothing when one bit is lost", () => {
    for (const hash of HASH_NAMES) {
      const key = Uint8Array.from({ length: 33 }, (_, i) => i * 7);
      let seed = 1;
      const pieces = afSplit(key, 20, hash, (into) =>
        into.forEach((_, i) => (into[i] = seed = (seed * 75 + 74) % 65537)),
      );
      expect(afMerge(pieces, 20, hash)).toEqual(key);
      pieces[5]! ^= 1;
      expect(afMerge(pieces, 20, hash)).not.toEqual(key);
    }
  });
});
