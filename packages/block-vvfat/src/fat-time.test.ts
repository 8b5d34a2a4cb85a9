import { expect, test } from "vitest";
import { fatTime, hostTime } from "./fat-time.ts";

const at = (year: number, month: number, day: number, time = 0): { date: number; time: number } => ({
  date: ((year - 1980) << 9) | (month << 5) | day,
  time,
});
const told = (year: number, month: number, day: number): string | undefined => {
  const found = hostTime(at(year, month, day));
  return found && new Date(found.sec * 1000).toISOString().slice(0, 10);
};

test("the last day of each month is one, the next is none", () => {
  for (const year of [1980, 2000, 2001, 2100, 2107])
    for (let month = 1; month <= 12; month++) {
      const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
      expect(told(year, month, last)).toBe(new Date(Date.UTC(year, month - 1, last)).toISOString().slice(0, 10));
      for (let day = last + 1; day < 32; day++)
        expect(told(year, month, day), `${year}-${month}-${day}`).toBe(undefined);
    }
});

test("no month, no day, no hour, no minute, no second", () => {
  for (const none of [at(2001, 0, 1), at(2001, 13, 1), at(2001, 15, 31), at(2001, 1, 0)])
    expect(hostTime(none)).toBe(undefined);
  for (const time of [24 << 11, 60 << 5, 30, 0xffff]) expect(hostTime(at(2001, 1, 1, time))).toBe(undefined);
});

test("moments of a directory entry come back as they were", () => {
  for (const sec of [315532800, 1_000_000_000, 1_709_164_800, 4354819198])
    expect(hostTime(fatTime(sec))).toEqual({ sec: sec - (sec % 2), nsec: 0 });
});
