import { png, ppm } from "@mimus/display";

import type { MachineControl } from "./control.ts";

const FORMATS = { ppm, png } as const;
const USAGE = "usage: screendump FILE [-f ppm|png] [DEVICE [HEAD]]";

/** `screendump FILE [-f FORMAT] [DEVICE]`: saves the picture of a screen; the first one when no device is named. */
export function screendump(machine: MachineControl, args: readonly string[]): string {
  const rest = [...args];
  const at = rest.indexOf("-f");
  const [, format = "ppm"] = at < 0 ? [] : rest.splice(at, 2);
  const [file, device, head = "0"] = rest;
  if (file === undefined || rest.length > 3) throw new Error(USAGE);
  if (format !== "ppm" && format !== "png") throw new Error(`invalid parameter '${format}': formats are ppm and png`);
  if (head !== "0") throw new Error(`there is no head ${head}: every screen has one, number 0`);
  const { screens } = machine;
  if (screens.length === 0) throw new Error("there is no screen to dump: the machine has no display device");
  const screen = device === undefined ? screens[0] : screens.find(({ name }) => name === device);
  if (screen === undefined)
    throw new Error(`there is no screen '${device}'; there are: ${screens.map(({ name }) => name).join(", ")}`);
  screen.refresh?.();
  const { surface } = screen;
  if (surface === undefined) throw new Error("no surface: the screen has shown nothing yet");
  machine.saveFile(file, format === "png" ? FORMATS.png(surface, machine.deflate) : FORMATS.ppm(surface));
  return "";
}
