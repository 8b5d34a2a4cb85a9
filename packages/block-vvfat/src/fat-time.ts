import type { HostTime } from "@mimus/block";

const FIRST = 315532800; // 1980
const LAST = 4354819198; // 2107

/** A moment as a directory entry has it: date and time, 16 bits each. */
export interface FatTime {
  readonly date: number;
  readonly time: number;
}

/** Seconds since 1970 (UTC) as FAT has dates, from 1980 to 2107. Source: FAT32 File System Specification 1.03, "Date and Time Formats". */
export function fatTime(sec: number): FatTime {
  const d = new Date(Math.min(Math.max(sec, FIRST), LAST) * 1000);
  const date = ((d.getUTCFullYear() - 1980) << 9) | ((d.getUTCMonth() + 1) << 5) | d.getUTCDate();
  return { date, time: (d.getUTCHours() << 11) | (d.getUTCMinutes() << 5) | (d.getUTCSeconds() >> 1) };
}

/** The same backwards; undefined for a moment that is none: FAT has no time for it. */
export function hostTime({ date, time }: FatTime): HostTime | undefined {
  const [year, month, day] = [1980 + (date >> 9), (date >> 5) & 15, date & 31];
  const [hour, minute, second] = [time >> 11, (time >> 5) & 63, (time & 31) * 2];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // A day that the month does not have would be one of another month.
  return new Date(ms).getUTCDate() === day ? { sec: ms / 1000, nsec: 0 } : undefined;
}

/** Both are the same moment. */
export function sameTime(a: FatTime, b: FatTime): boolean {
  return a.date === b.date && a.time === b.time;
}
