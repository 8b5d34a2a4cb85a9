/** Wrong options that no other test names: each is refused with the option and what would be right. */
import { expect, it } from "vitest";

import { parseArguments } from "./args/parse.ts";
import { machineConfig } from "./config.ts";

it.each([
  ["-display vnc=:1", "-display vnc: no such display; there are: none, curses, web"],
  ["-fw_cfg name=,string=x", "needs name=NAME of 1 to 55 ASCII characters"],
  ["-fw_cfg name=a,string=", "needs file=FILE or string=TEXT"],
  ["-fw_cfg a,string=x -fw_cfg a,string=y", "-fw_cfg name=a: there is already a file of this name"],
  ["-fw_cfg a,file=/no/such", "-fw_cfg: Could not open '/no/such': No such file or directory"],
  ["-smbios file=/dev/null,type=1", "-smbios: invalid parameter 'type' (known: file)"],
  ["-m 128MB", "-m 128MB: expected a size such as 512M or 2G"],
  ["-m 128,slots=300,maxmem=1G", "slots=300 are more than 256"],
  ["-M pc,kernel=", "-M kernel=: it needs a value"],
  ["-gdb tcp::1", "-gdb: not available here: there is no debugger's port"],
  [
    "-global driver=VGA,property=mmio,value=on,foo=2",
    "-global: invalid parameter 'foo' (known: driver, property, value)",
  ],
  ["-soundhw hda", "-soundhw: invalid option; -h lists them all"],
  ["-serial tcp:host", "-serial: 'tcp:host': parameter 'port': expected a whole number from 0 to 65535"],
])("%s is refused", (line, why) => {
  expect(() => machineConfig(parseArguments(line.split(" ")))).toThrow(why);
});

it("-boot reboot-timeout=-1 means never, as in QEMU", () => {
  const { board } = machineConfig(parseArguments(["-boot", "reboot-timeout=-1"]));
  expect(board.rebootTimeout).toBeUndefined();
});
