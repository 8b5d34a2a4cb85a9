/** The recipe of the Debian systems (`pnpm systems`): what it writes itself, and when a system is made anew. */
import { expect, test } from "vitest";

import { corePlaces } from "../systems/grub.ts";
import { stampOf, stepsOf } from "../systems/recipe.ts";

test("the boot sector names sector 1, the first sector of GRUB's image where the rest lies", () => {
  const boot = Buffer.alloc(512, 0x55);
  const core = Buffer.alloc(3 * 512 + 1, 0x66);
  const [mbr, image] = corePlaces(boot, core);
  expect(mbr?.at).toBe(0);
  expect(mbr?.bytes.length).toBe(440); // the disk's signature and partitions stay
  expect(mbr?.bytes.readBigUInt64LE(0x5c)).toBe(1n);
  expect(mbr?.bytes[0x64]).toBe(0xff);
  expect(image?.at).toBe(512);
  expect(image?.bytes.length).toBe(core.length);
  expect(image?.bytes.readBigUInt64LE(500)).toBe(2n);
  expect(image?.bytes.readUInt16LE(508)).toBe(3);
  expect(boot.every((byte) => byte === 0x55)).toBe(true);
});

test("an image that would reach into the partition is refused", () => {
  expect(() => corePlaces(Buffer.alloc(512), Buffer.alloc(2048 * 512))).toThrow("2048 sectors");
});

test("a system has one stamp, another architecture another", () => {
  expect(stampOf("amd64")).toMatch(/^[0-9a-f]{64}$/);
  expect(stampOf("amd64")).toBe(stampOf("amd64"));
  expect(stampOf("i386")).not.toBe(stampOf("amd64"));
});

test("one initrd is made", () => {
  const places = { root: "/r", disk: "/d", kernel: "/k", initrd: "/i", mirror: "http://m" };
  const said = stepsOf("i386", places).flatMap(({ program, args }) => [program, ...args]);
  expect(said).toContain("INITRD=No");
  expect(said.join("\n").match(/update-initramfs/g)).toHaveLength(1);
});
