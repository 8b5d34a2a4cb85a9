import { expect, test } from "vitest";
import { FlatMemory } from "./flat-memory.ts";

const RAM = 0x8000_0000;

test("RAM is read and written in little-endian order", () => {
  const memory = new FlatMemory(1 << 20);
  const bytes = memory.addRam(RAM, 65536);
  memory.write(RAM + 2, 4, 0xdeadbeef);
  expect([...bytes.subarray(2, 6)]).toEqual([0xef, 0xbe, 0xad, 0xde]);
  expect(memory.read(RAM + 2, 4)).toBe(0xdeadbeef);
});

test("an access that is not wholly in RAM is a fault", () => {
  const memory = new FlatMemory(1 << 20);
  memory.addRam(RAM, 65536);
  expect(memory.read(RAM + 65534, 4)).toBe(0);
  expect(memory.lastFault).toBe(true);
  memory.readWide(RAM + 65528, new Uint32Array(2));
  expect(memory.lastFault).toBe(false);
  memory.readWide(RAM + 65532, new Uint32Array(2));
  expect(memory.lastFault).toBe(true);
});

test("the engine hears of watched pages alone, and only when a byte changes", () => {
  const memory = new FlatMemory(1 << 20);
  const start = memory.addRam(0, 65536).byteOffset;
  const heard: number[] = [];
  memory.onCodeWrite((page) => heard.push(page - start));
  memory.watchCode(start + 4096, true);
  memory.poke(4094, [0, 0, 0, 0]);
  memory.poke(0, [1]);
  expect(heard).toEqual([]);
  memory.poke(4094, [1, 2, 3, 4]);
  expect(heard).toEqual([4096]);
});
