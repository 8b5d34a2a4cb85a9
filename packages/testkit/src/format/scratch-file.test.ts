import { expect, it } from "vitest";
import { Seeded } from "../random.ts";
import { ScratchFile } from "./scratch-file.ts";

const SECTOR = 512;

/** What a file holds, byte by byte; its end is kept by the length. */
class Model {
  bytes: number[];

  constructor(original: Uint8Array) {
    this.bytes = [...original];
  }
  reach(size: number): void {
    while (this.bytes.length < size) this.bytes.push(0);
  }
  put(at: number, from: Uint8Array): void {
    this.reach(at + from.length);
    from.forEach((byte, i) => (this.bytes[at + i] = byte));
  }
  read(at: number, length: number): number[] {
    return Array.from({ length }, (_, i) => this.bytes[at + i] ?? 0);
  }
}

const ACTIONS: readonly ((file: ScratchFile, model: Model, random: Seeded) => Promise<void> | void)[] = [
  (file, model, random) => {
    const size = random.below(6000);
    file.cut(size);
    model.bytes.length = Math.min(model.bytes.length, size);
    model.reach(size);
  },
  async (file, model, random) => {
    const [at, from] = [
      random.below(6000),
      random.bytes(random.below(3) === 0 ? random.below(1500) : random.below(70)),
    ];
    await file.write(at, from);
    model.put(at, from);
  },
  async (file, model, random) => {
    const [at, length] = [random.below(6000), random.below(2000)];
    await file.writeZeroes(at, length);
    model.put(at, new Uint8Array(length));
  },
  async (file, model, random) => {
    const [at, length] = [random.below(6000), random.below(2000)];
    await file.discard(at, length);
    const inside = Math.max(0, Math.min(length, model.bytes.length - at));
    if (inside > 0) model.put(at, new Uint8Array(inside));
  },
  (file, model, random) => {
    // Only bytes inside the file are changed by damage.
    const [at, from] = [random.below(6000), random.bytes(random.below(100))];
    file.patch(at, from);
    model.put(Math.min(at, model.bytes.length), from.subarray(0, Math.max(0, model.bytes.length - at)));
  },
  (file, model, random) => {
    const last = Math.min(file.length, file.bytes.length);
    const start = random.below(last + 1);
    const end = Math.min(last, start + random.below(30));
    const [by, moved] = [random.bytes(random.below(30)), random.below(300)];
    const rest = model.bytes.slice(end, Math.min(last, end + moved));
    rest.length = Math.max(0, Math.min(rest.length, last - start - by.length));
    file.splice(start, end, by, moved);
    model.put(start + by.length, Uint8Array.from(rest));
    model.put(start, by.subarray(0, file.length - start).slice());
  },
];

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, n) => byte === b[n]);

it("a scratch file holds what was done to it, and the original again after undo", async () => {
  const random = new Seeded(11);
  const original = random.bytes(3000);
  const file = new ScratchFile("f", original);
  file.readOnly = false;
  for (let round = 0; round < 400; round++) {
    const model = new Model(original);
    for (let n = 1 + random.below(6); n > 0; n--) {
      await ACTIONS[random.below(ACTIONS.length)]?.(file, model, random);
      expect(file.length).toBe(model.bytes.length);
      const [at, into] = [random.below(7000), new Uint8Array(random.below(2) === 0 ? 40 : 3000)];
      await file.read(at, into);
      expect([...into], `round ${round}, at ${at}`).toEqual(model.read(at, into.length));
    }
    file.undo();
    expect(file.length).toBe(original.length);
    expect(sameBytes(file.bytes, original)).toBe(true);
    const all = new Uint8Array(original.length + SECTOR);
    await file.read(0, all);
    expect(sameBytes(all.subarray(original.length), new Uint8Array(SECTOR))).toBe(true);
  }
});
