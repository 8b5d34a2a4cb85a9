import { expect, test } from "vitest";
import { StoredPages } from "./stored-pages.ts";

function entries(pages: StoredPages, host: number): { known: boolean | undefined; seen: number[] } {
  const seen: number[] = [];
  return { known: pages.take(host, (n) => seen.push(n)), seen };
}

test("a few entries of a page are known by number, each once; taking them forgets them", () => {
  const pages = new StoredPages(1 << 20);
  for (const n of [7, 0, 7, 9, 0]) pages.note(0x3000 + n, n);
  expect(entries(pages, 0x3fff)).toEqual({ known: true, seen: [7, 0, 9] });
  expect(entries(pages, 0x3000)).toEqual({ known: false, seen: [] });
});

test("of a page with many entries it is known only that there are some", () => {
  const pages = new StoredPages(1 << 20);
  for (let n = 0; n < 9; n++) pages.note(0x5000, n);
  expect(entries(pages, 0x5000)).toEqual({ known: undefined, seen: [] });
  expect(entries(pages, 0x5000)).toEqual({ known: false, seen: [] });
  expect(entries(pages, 0x4000)).toEqual({ known: false, seen: [] });
});
