import { describe, expect, it } from "vitest";
import {
  type BlockNode,
  type ClusterMap,
  ClusterNode,
  COMPRESSED,
  FaultyFile,
  FileNode,
  MemoryFile,
  UNALLOCATED,
  ZEROES,
} from "./index.ts";

const UNIT = 4096;
const HEAD = 8192;

/** A made-up format: the map is an array in memory; new clusters go to the end of the file. */
class ToyMap implements ClusterMap {
  readonly clusterSize: number = UNIT;
  readonly marksZeroes: boolean;
  readonly places: number[];
  readonly released: number[] = [];
  loaded = false;
  gap = 0;
  end = HEAD;
  changed = 0;
  commits = 0;
  store?: (cluster: number, bytes: Uint8Array) => Promise<void>;
  readonly kept: Map<number, Uint8Array> = new Map();

  constructor(clusters: number, opts: { marksZeroes?: boolean; stores?: boolean } = {}) {
    this.places = Array.from({ length: clusters }, () => UNALLOCATED);
    this.marksZeroes = opts.marksZeroes ?? true;
    if (opts.stores)
      this.store = async (c, bytes) => {
        this.kept.set(c, bytes.slice());
        this.places[c] = COMPRESSED;
      };
  }
  peek(cluster: number): number | undefined {
    return this.loaded ? (this.places[cluster] ?? UNALLOCATED) : undefined;
  }
  async load(): Promise<void> {
    await Promise.resolve();
    this.loaded = true;
  }
  allocate(): number {
    const place = this.end;
    this.end += UNIT + this.gap;
    return place;
  }
  release(place: number): void {
    this.released.push(place);
  }
  async set(cluster: number, place: number): Promise<void> {
    await Promise.resolve();
    this.places[cluster] = place;
    this.changed++;
  }
  async readCompressed(cluster: number): Promise<Uint8Array> {
    return this.kept.get(cluster) ?? new Uint8Array(UNIT);
  }
  async commit(): Promise<void> {
    this.commits++;
    this.changed = 0;
  }
}

async function make(
  map: ToyMap,
  opts: { backing?: BlockNode; firstWrite?: () => Promise<void>; preallocated?: boolean } = {},
): Promise<{ node: ClusterNode; file: FaultyFile; memory: MemoryFile }> {
  const memory = new MemoryFile("toy", HEAD);
  const file = new FaultyFile(memory);
  const below = await FileNode.open("file", file, { readOnly: false });
  const size = map.places.length * UNIT;
  return {
    node: new ClusterNode({ name: "n", driver: "toy", size, readOnly: false, file: below, map, ...opts }),
    file,
    memory,
  };
}
const filled = (n: number, v: number): Uint8Array => new Uint8Array(n).fill(v);
async function get(node: BlockNode, at: number, n: number): Promise<Uint8Array> {
  const out = filled(n, 0xee);
  await node.read(at, out);
  return out;
}
const below = (size: number, v: number): Promise<FileNode> =>
  FileNode.open("backing", new MemoryFile("b", filled(size, v)), { readOnly: true });

describe("a node of clusters", () => {
  it("gives a cluster one place, however many write to it at once", async () => {
    const map = new ToyMap(8);
    const { node } = await make(map);
    await Promise.all(Array.from({ length: 16 }, (_, i) => node.write(UNIT - 256 + i * 32, filled(32, i + 1))));
    expect(map.places.filter((p) => p >= 0)).toHaveLength(2);
    for (let i = 0; i < 16; i++) expect(await get(node, UNIT - 256 + i * 32, 32)).toEqual(filled(32, i + 1));
    expect(await get(node, UNIT + 256, 100)).toEqual(new Uint8Array(100));
    await node.flush();
    expect(map.commits).toBe(1);
    await node.flush();
    expect(map.commits).toBe(1);
  });

  it("brings old bytes along, and reads zeroes beyond the end of what is below", async () => {
    const map = new ToyMap(4);
    const { node } = await make(map, { backing: await below(UNIT + 512, 7) });
    expect(Object.keys(node.children)).toEqual(["file", "backing"]);
    await node.write(UNIT + 100, filled(10, 1));
    const want = new Uint8Array(2 * UNIT);
    want.fill(7, 0, UNIT + 512);
    want.fill(1, UNIT + 100, UNIT + 110);
    expect(await get(node, 0, 2 * UNIT)).toEqual(want);
    expect(await node.blockStatus(0, 4 * UNIT)).toMatchObject({ length: UNIT, allocated: false, zero: false });
    expect(await node.blockStatus(2 * UNIT, 2 * UNIT)).toMatchObject({
      length: 2 * UNIT,
      allocated: false,
      zero: true,
    });
    node.setBacking(undefined);
    expect(await get(node, 0, 1)).toEqual(filled(1, 0));
    await node.close();
  });

  it("marks zeroes, or writes them where that is not enough", async () => {
    for (const marksZeroes of [true, false]) {
      const map = new ToyMap(6, { marksZeroes });
      const { node } = await make(map, { backing: await below(6 * UNIT, 7) });
      await node.write(0, filled(UNIT, 1));
      await node.writeZeroes(10, 3 * UNIT, true);
      const want = filled(6 * UNIT, 7);
      want.fill(1, 0, UNIT);
      want.fill(0, 10, 10 + 3 * UNIT);
      expect(await get(node, 0, 6 * UNIT)).toEqual(want);
      expect(map.places[1]).toBe(marksZeroes ? ZEROES : map.places[1]);
      await node.writeZeroes(UNIT, UNIT, true);
      await node.write(UNIT + 1, filled(1, 5));
      want[UNIT + 1] = 5;
      expect(await get(node, 0, 6 * UNIT)).toEqual(want);
      await node.discard(0, UNIT);
    }
    const alone = await make(new ToyMap(2));
    await alone.node.writeZeroes(0, UNIT, true);
    expect(alone.memory.content()).toHaveLength(HEAD);
  });

  it("gives room back when a write fails, and keeps what was", async () => {
    const map = new ToyMap(4);
    const { node, file } = await make(map);
    file.fail({ at: 0, ops: ["write"] });
    await expect(node.write(5, filled(10, 1))).rejects.toThrow("EIO");
    expect(map.released).toEqual([HEAD]);
    expect(await get(node, 0, 20)).toEqual(new Uint8Array(20));
    await node.write(5, filled(10, 2));
    expect((await get(node, 0, 20))[5]).toBe(2);
  });

  it("writes clusters that are no neighbours one by one", async () => {
    const map = new ToyMap(4);
    map.gap = 512;
    const { node, memory } = await make(map);
    await node.write(100, filled(3 * UNIT, 3));
    expect(await get(node, 100, 3 * UNIT)).toEqual(filled(3 * UNIT, 3));
    expect(await node.blockStatus(0, 4 * UNIT)).toMatchObject({ length: UNIT, offset: HEAD });
    expect(memory.content().length).toBe(map.end - map.gap);
  });

  it("stores compressed clusters whole", async () => {
    const map = new ToyMap(4, { stores: true });
    const { node } = await make(map, { backing: await below(4 * UNIT, 9) });
    await node.write(UNIT - 1, filled(2, 1));
    expect(map.kept.get(0)?.[0]).toBe(9);
    await node.write(5, filled(1, 2));
    expect(map.kept.get(0)?.[5]).toBe(2);
    expect(await get(node, UNIT - 2, 4)).toEqual(Uint8Array.of(9, 1, 1, 9));
    expect(await node.blockStatus(0, 4 * UNIT)).toMatchObject({ length: UNIT, compressed: true });
    await node.writeZeroes(0, UNIT, false);
    expect(map.places[0]).toBe(ZEROES);
  });

  it("refuses clusters that the file does not have", async () => {
    const map = new ToyMap(2);
    map.places[0] = 1 << 20;
    map.places[1] = HEAD - 512;
    const { node } = await make(map);
    await expect(node.read(0, filled(1, 0))).rejects.toThrow("lies at 1048576, and the file ends at 8192");
    expect(await get(node, UNIT, UNIT)).toEqual(new Uint8Array(UNIT));
  });

  it("runs what comes before the first change once, and again when that failed", async () => {
    let runs = 0;
    const { node } = await make(new ToyMap(2), {
      firstWrite: async () => {
        if (++runs === 1) throw new Error("not yet");
      },
    });
    await expect(node.write(0, filled(1, 1))).rejects.toThrow("not yet");
    await Promise.all([node.write(0, filled(1, 1)), node.write(UNIT, filled(1, 1))]);
    await node.discard(0, 1);
    expect(runs).toBe(2);
  });

  it("asks the file about preallocated room", async () => {
    const map = new ToyMap(1);
    map.places[0] = 0;
    const { node } = await make(map, { preallocated: true });
    expect(await node.blockStatus(0, UNIT)).toMatchObject({ data: true, offset: 0, allocated: true });
  });

  it("commits before too much waits", async () => {
    const map = new ToyMap(600);
    const { node } = await make(map);
    for (let i = 0; i < 300; i++) await node.write(i * UNIT, filled(1, 1));
    expect(map.commits).toBeGreaterThan(0);
    map.changed = 1;
    await node.close();
    expect(map.changed).toBe(0);
  });
});
