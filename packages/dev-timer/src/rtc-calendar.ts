// Dates as the registers of a real-time clock hold them.

/** Seconds since 1970 of a date; out-of-range parts carry over. `month` and `day` from 1. */
export function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** The date at `seconds` since 1970; `weekday` 1 is Sunday. */
export function dateOf(seconds: number): { year: number; month: number; day: number; weekday: number } {
  const date = new Date(seconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() + 1,
  };
}

/** Two decimal digits, 0..99, as BCD. */
export function toBcd(value: number): number {
  return (Math.floor(value / 10) << 4) | (value % 10);
}

/** The value of two BCD digits; digits above 9 count on. */
export function fromBcd(value: number): number {
  return (value >> 4) * 10 + (value & 15);
}

const DONT_CARE = 0xc0;

/** An alarm: seconds, minutes and hours as written; C0h and above match anything. */
export interface Alarm {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
}

/** Seconds from second of day `now` to the next match after it, 1..86400; undefined: it never matches. `decode` reads a field. */
export function untilAlarm(
  alarm: Alarm,
  now: number,
  decode: (field: "second" | "minute" | "hour", raw: number) => number,
): number | undefined {
  const choices = (field: keyof Alarm, range: number): number[] => {
    if ((alarm[field] & DONT_CARE) === DONT_CARE) return Array.from({ length: range }, (_, i) => i);
    const value = decode(field, alarm[field]);
    return value < range ? [value] : [];
  };
  const hours = choices("hour", 24);
  const minutes = choices("minute", 60);
  const seconds = choices("second", 60);
  const first = (list: readonly number[], from: number): number | undefined => list.find((n) => n >= from);
  if (hours.length === 0 || minutes.length === 0 || seconds.length === 0) return undefined;
  const from = now + 1;
  for (const hour of [...hours, 24 + hours[0]!]) {
    if (hour * 3600 + 3599 < from) continue;
    const minute = first(minutes, Math.max(0, Math.floor((from - hour * 3600) / 60)));
    for (const m of minute === undefined ? [] : [minute, first(minutes, minute + 1)]) {
      if (m === undefined) break;
      const s = first(seconds, Math.max(0, from - hour * 3600 - m * 60));
      if (s !== undefined) return hour * 3600 + m * 60 + s - now;
    }
  }
  // Only the current hour matches, and its match has passed: tomorrow.
  return (24 + hours[0]!) * 3600 + minutes[0]! * 60 + seconds[0]! - now;
}
