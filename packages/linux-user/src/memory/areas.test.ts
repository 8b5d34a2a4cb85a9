import { expect, test } from "vitest";

import { AreaList, type MutableArea } from "./areas.ts";

const PAGE = 4096;
const area = (start: number, end: number, prot: number): MutableArea => ({
  ...{ start, end, prot, shared: false, file: undefined, offset: 0, name: "" },
});

/** Every gap, from the top. */
function plainGap(areas: AreaList, length: number, floor: number, ceiling: number): number | undefined {
  let top = ceiling;
  for (const { start, end } of areas.list.toReversed()) {
    if (end <= top && top - Math.max(end, floor) >= length) return top - length;
    top = Math.min(top, start);
  }
  return top - floor >= length ? top - length : undefined;
}

test("the highest gap is found, whatever comes and goes, and wherever the ceiling is", () => {
  let seed = 7;
  const random = (n: number): number => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff) >> 8) % n;
  for (let run = 0; run < 40; run++) {
    const areas = new AreaList();
    let ceiling = PAGE * (200 + random(300));
    for (let step = 0; step < 300; step++) {
      const length = PAGE * (1 + random(random(3) > 0 ? 6 : 60));
      const gap = areas.findGap(length, 16 * PAGE, ceiling);
      expect(gap).toBe(plainGap(areas, length, 16 * PAGE, ceiling));
      const what = random(10);
      const start = PAGE * (16 + random(ceiling / PAGE));
      const end = start + PAGE * (1 + random(20));
      if (what < 6) {
        if (gap !== undefined) areas.insert(area(gap, gap + length, random(4)));
      } else if (what < 7) {
        if (areas.free(start, end)) areas.insert(area(start, end, random(4)));
      } else if (what < 9) areas.remove(start, end);
      else if (random(30) === 0) ceiling = PAGE * (200 + random(300));
    }
  }
});

test("areas that cannot be joined are not looked at one by one for each that is added", () => {
  let looks = 0;
  const areas = new AreaList();
  const list = new Proxy<MutableArea[]>([], {
    get: (target, key, receiver) => (looks++, Reflect.get(target, key, receiver) as unknown),
  });
  Object.assign(areas, { list });
  let searching = 0;
  for (let n = 0; n < 2000; n++) {
    looks = 0;
    const gap = areas.findGap(PAGE, 16 * PAGE, 2 ** 38) as number;
    searching += looks;
    areas.insert(area(gap, gap + PAGE, n & 1));
  }
  expect(areas.list.length).toBe(2000);
  expect(searching).toBeLessThan(2000 * 64);
});
