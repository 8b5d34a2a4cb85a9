/** `-boot`: what firmware boots from, and what it shows meanwhile. */
import type { BoardOptions } from "@mimus/system";

import type { KeyValues } from "./args/keyval.ts";
import { onlyParameters, onOffParameter, wholeNumber } from "./args/values.ts";
import { UsageError } from "./errors.ts";
import { defined } from "./given-values.ts";

const BOOT = ["order", "once", "menu", "splash", "splash-time", "reboot-timeout", "strict"];

/** `-boot`, checked. */
export function bootOptions(boot: KeyValues | undefined): BoardOptions & { bootMenu?: boolean } {
  if (boot === undefined) return {};
  onlyParameters("boot", boot, BOOT);
  const letters = (key: string): string | undefined => {
    const drives = boot[key];
    if (drives === undefined) return undefined;
    if (typeof drives !== "string" || !/^[a-p]+$/.test(drives))
      throw new UsageError(`-boot ${key}=${String(drives)}: expected drive letters a to p, such as c`);
    if (new Set(drives).size < drives.length)
      throw new UsageError(`-boot ${key}=${drives}: a drive letter is there twice`);
    return drives;
  };
  const never = boot["reboot-timeout"] === "-1";
  const timeout = never ? undefined : wholeNumber("boot reboot-timeout=", boot["reboot-timeout"]);
  if (timeout !== undefined && timeout > 0xffff)
    throw new UsageError(`-boot reboot-timeout=${timeout}: expected milliseconds, at most 65535, or -1 for never`);
  const splash = wholeNumber("boot splash-time=", boot["splash-time"]);
  if (splash !== undefined && splash > 0xffff)
    throw new UsageError(`-boot splash-time=${splash}: expected milliseconds, at most 65535`);
  return defined({
    bootOrder: letters("order"),
    bootOnce: letters("once"),
    bootMenu: onOffParameter("boot", boot, "menu"),
    bootStrict: onOffParameter("boot", boot, "strict"),
    bootSplashTime: splash,
    rebootTimeout: timeout,
  });
}
