import type { DeviceContext } from "@mimus/machine-core";

/** What happens when a watchdog bites: `-action watchdog=`. */
export type WatchdogAction = "reset" | "shutdown" | "poweroff" | "inject-nmi" | "pause" | "debug" | "none";

/** Back end "watchdog" called "action": what the user chose. */
export interface WatchdogPolicy {
  action: WatchdogAction;
}

/** Does what the user wants of a watchdog that has run out; without a wish the machine is reset. */
export function performWatchdogAction(dev: DeviceContext): void {
  const { machine } = dev;
  const policy = machine.backend("watchdog", "action") as WatchdogPolicy | undefined;
  const action = policy?.action ?? "reset";
  machine.log.write("info", dev.path, `the watchdog has run out: ${action}`);
  switch (action) {
    case "reset":
      return machine.requestReset("guest");
    case "shutdown":
      return machine.requestPowerdown();
    case "poweroff":
      return machine.requestShutdown("host-quit", 0);
    case "inject-nmi":
      return machine.requestNmi();
    case "pause":
      return machine.requestStop("watchdog");
    default: // told already
  }
}
