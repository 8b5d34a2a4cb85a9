import { expect, it } from "vitest";

import { bootCases, nameOf } from "../systems/boot.ts";

it("boots what was chosen, whether or not it is one of the usual cases", () => {
  const names = (...args: Parameters<typeof bootCases>): string[] => bootCases(...args).map(nameOf);
  expect(names(["amd64", "i386"], {})).toHaveLength(4);
  expect(names(["i386"], { bus: "virtio" })).toEqual([
    "Debian for i386 from virtio, by GRUB, powered off by system_powerdown",
  ]);
  expect(names(["i386"], { bus: "ide", off: "button" })).toEqual([
    "Debian for i386 from ide, by -kernel, powered off by system_powerdown",
  ]);
  expect(names(["amd64"], { bus: "ide", by: "grub", off: "command" })).toEqual([
    "Debian for amd64 from ide, by GRUB, powered off by poweroff",
  ]);
});
