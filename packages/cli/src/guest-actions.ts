/** What the machine does about events that its guest causes: `-action`, `-no-reboot`, `-no-shutdown`, `-watchdog-action`. */
import type { Policies } from "@mimus/system";

import { keyValues } from "./args/keyval.ts";
import { all, type GivenOption, last } from "./args/parse.ts";
import { UsageError } from "./errors.ts";

/** Values by event, the default first. */
const CHOICES = {
  reboot: ["reset", "shutdown"],
  shutdown: ["poweroff", "pause"],
  panic: ["shutdown", "pause", "exit-failure", "none"],
  watchdog: ["reset", "shutdown", "poweroff", "inject-nmi", "pause", "debug", "none"],
} as const;
type Event = keyof typeof CHOICES;

/** Chosen actions; `watchdog` is the back end that watchdogs read, which the monitor may change. */
export interface GuestActions {
  readonly policies: Policies;
  readonly watchdog: { action: string };
}

/** What may be said of watchdogs, the default first. */
export const WATCHDOG_ACTIONS: readonly string[] = CHOICES.watchdog;

/** @throws UsageError for an event or an action that does not exist */
export function guestActions(given: readonly GivenOption[]): GuestActions {
  const chosen: Record<Event, string> = { reboot: "reset", shutdown: "poweroff", panic: "shutdown", watchdog: "reset" };
  const choose = (option: string, event: string, action: unknown): void => {
    if (!(event in CHOICES))
      throw new UsageError(`-${option}: invalid parameter '${event}' (known: ${Object.keys(CHOICES).join(", ")})`);
    const known: readonly string[] = CHOICES[event as Event];
    const text = String(action);
    if (!known.includes(text)) throw new UsageError(`-${option}: '${text}' is none of ${known.join(", ")}`);
    chosen[event as Event] = text;
  };
  if (last(given, "no-reboot") !== undefined) chosen.reboot = "shutdown";
  if (last(given, "no-shutdown") !== undefined) chosen.shutdown = "pause";
  for (const text of all(given, "action"))
    for (const [event, action] of Object.entries(keyValues("action", text))) choose("action", event, action);
  const watchdog = last(given, "watchdog-action");
  if (watchdog !== undefined) choose("watchdog-action", "watchdog", watchdog);
  const { reboot, shutdown, panic } = chosen;
  return { policies: { reboot, shutdown, panic } as Policies, watchdog: { action: chosen.watchdog } };
}
