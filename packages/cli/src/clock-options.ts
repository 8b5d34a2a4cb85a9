/** `-icount` and `-rtc`, checked. */
import type { KeyValues } from "./args/keyval.ts";
import { onlyParameters, onOffParameter } from "./args/values.ts";
import { UsageError } from "./errors.ts";

/** Time by counted instructions: nanoseconds for each, and whether an idle guest's clock jumps ahead. @throws UsageError */
export function icount(options: KeyValues): { nsPerInsn: number; skipIdle: boolean } {
  onlyParameters("icount", options, ["shift", "sleep", "align"]);
  const { shift = "0" } = options;
  const sleep = onOffParameter("icount", options, "sleep") ?? true;
  if (onOffParameter("icount", options, "align") === true && !sleep)
    throw new UsageError("-icount: align=on and sleep=off exclude each other");
  const bits = shift === "auto" ? 2 : /^\d+$/.test(String(shift)) ? Number(shift) : Number.NaN;
  if (!(bits <= 10)) throw new UsageError(`-icount ${String(shift)}: shift is 0 to 10, or auto`);
  return { nsPerInsn: 2 ** bits, skipIdle: !sleep };
}

/** Nanoseconds that the guest's wall clock is ahead of the host's. @throws UsageError */
export function rtcOffset(rtc: KeyValues): number {
  onlyParameters("rtc", rtc, ["base", "clock", "driftfix"]);
  const { base = "utc", clock = "host" } = rtc;
  if (!["host", "rt", "vm"].includes(String(clock)))
    throw new UsageError(`-rtc clock=${String(clock)}: expected host, rt or vm`);
  if (base === "utc") return 0;
  if (base === "localtime") return -new Date().getTimezoneOffset() * 60e9;
  const text = String(base);
  const [, day, hour = "00:00:00"] = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d))?$/.exec(text) ?? [];
  const time = Date.parse(`${day}T${hour}Z`);
  if (day === undefined || Number.isNaN(time))
    throw new UsageError(`-rtc base=${text}: expected utc, localtime, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss`);
  return (time - Date.now()) * 1e6;
}
