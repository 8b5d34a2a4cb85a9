import { expect, test } from "vitest";

import { icount, rtcOffset } from "../clock-options.ts";
import { UsageError } from "../errors.ts";
import { machineConfig } from "../config.ts";
import { uuidText } from "../uuid.ts";
import { configFile } from "./config-file.ts";
import { bytes, keyValues, splitCommas } from "./keyval.ts";
import { helpText, OPTIONS } from "./options.ts";
import { parseArguments } from "./parse.ts";

test.each([
  ["a,b", ["a", "b"]],
  ["a,,b,c", ["a,b", "c"]],
  [",,,", [",", ""]],
  ["", [""]],
])("commas: %s", (text, items) => {
  expect(splitCommas(text)).toEqual(items);
});

test("the first item may be implied, a lone key is on", () => {
  expect(keyValues("device", "virtio-blk-device,drive=d,bootindex", "driver")).toEqual({
    driver: "virtio-blk-device",
    drive: "d",
    bootindex: "on",
  });
  expect(keyValues("chardev", "socket,nowait", "backend", ["wait"])).toEqual({ backend: "socket", wait: "off" });
});

test("JSON is taken as it is", () => {
  expect(keyValues("device", '{"driver":"x","n":[1]}')).toEqual({ driver: "x", n: [1] });
  expect(() => keyValues("device", "{driver")).toThrow(/-device: JSON does not parse/);
});

test.each([
  ["512", "m", 512 * 2 ** 20],
  ["1G", "m", 2 ** 30],
  ["1.5G", "m", 1.5 * 2 ** 30],
  ["64k", "b", 65536],
] as const)("size %s", (text, unit, value) => {
  expect(bytes("m", text, unit)).toBe(value);
});

test.each(["", "abc", "12X", "-1", "1e3"])("size %s is refused", (text) => {
  expect(() => bytes("m", text, "m")).toThrow(/expected a size such as/);
});

test("an unknown option lists the nearest", () => {
  expect(() => parseArguments(["-kernal", "x"])).toThrow(/invalid option \(did you mean .*-kernel/);
  expect(() => parseArguments(["-kernel"])).toThrow(/requires an argument/);
});

test("two dashes are as good as one", () => {
  expect(parseArguments(["--nographic", "-M", "virt"])).toEqual([
    { name: "nographic", value: "" },
    { name: "machine", value: "virt" },
  ]);
});

test("every option is in the help", () => {
  for (const { name } of OPTIONS) expect(helpText("mimus")).toContain(`-${name}`);
});

const config = (...argv: string[]): ReturnType<typeof machineConfig> => machineConfig(parseArguments(argv));

test("-nographic shares the terminal between serial port and monitor", () => {
  expect(config("-nographic").serials).toMatchObject([{ monitor: true, config: { backend: "stdio" } }]);
  expect(config("-nographic", "-monitor", "none").serials).toMatchObject([
    { monitor: false, config: { backend: "stdio" } },
  ]);
  expect(config("-nographic", "-serial", "null").serials).toHaveLength(1);
});

test.each([
  [["-smp", "4"], 4],
  [["-smp", "cpus=2,maxcpus=4"], 2],
  [["-smp", "sockets=2,cores=2"], 4],
] as const)("processors of %j", (argv, cpus) => {
  expect(config(...argv).cpus).toBe(cpus);
});

test.each([
  [["-smp", "0"], /at least 1/],
  [["-smp", "4,maxcpus=2"], /maxcpus=2 is less than cpus=4/],
  [["-smp", "4,sockets=3"], /topology makes 3/],
  [["-smp", "4,sokets=3"], /invalid parameter 'sokets'/],
  [["-m", "12Q"], /-m 12Q: expected a size/],
  [["-nic", "user"], /no such back end is installed/],
  [["-netdev", "user,id=n"], /no network back end is installed/],
  [["-global", "x"], /expected DRIVER.PROPERTY=VALUE/],
  [["-serial", "stdoi"], /-serial: 'stdoi' is not a character device/],
  [["-chardev", "file,id=c"], /parameter 'path'/],
  [["-uuid", "12"], /-uuid 12: expected a UUID such as/],
  [["-boot", "ordr=c"], /-boot: invalid parameter 'ordr'/],
  [["-boot", "order=z"], /expected drive letters a to p/],
  [["-boot", "menu=maybe"], /expected on or off/],
  [["-name", "a,proces=b"], /-name: invalid parameter 'proces'/],
  [["-set", "device.d.x=1"], /there is no -device with id=d/],
  [["-set", "machine.d.x=1"], /there is no group 'machine'; there are: device/],
  [["-set", "x"], /expected GROUP.ID.PROP=VALUE/],
])("%j is one clear line", (argv, message) => {
  expect(() => config(...(argv as string[]))).toThrow(UsageError);
  expect(() => config(...(argv as string[]))).toThrow(message as RegExp);
});

test("dotted keys nest, also with hostile names", () => {
  const { blockdevs } = config("-blockdev", "raw,file.driver=file,file.filename=a.b,constructor.x=yes");
  expect(blockdevs).toEqual([{ driver: "raw", file: { driver: "file", filename: "a.b" }, constructor: { x: "yes" } }]);
  for (const text of ["raw,__proto__.polluted=yes", '{"driver":"raw","__proto__":{"polluted":1}}'])
    expect(() => config("-blockdev", text)).toThrow("Parameter '__proto__' is unexpected");
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("a configuration file gives the options of the command line", () => {
  const text = '# disk\n[drive "d0"]\n  file = "a,b.img"\n[device]\n  driver = "virtio-blk-device"\n  drive = "d0"\n';
  const { drives, devices } = machineConfig(configFile("vm.cfg", text));
  expect(drives).toEqual([{ id: "d0", file: "a,b.img" }]);
  expect(devices).toEqual([{ driver: "virtio-blk-device", drive: "d0" }]);
  expect(() => configFile("vm.cfg", "[nope]")).toThrow(/vm.cfg:1: there is no option group 'nope'/);
  expect(() => configFile("vm.cfg", "[drive]\nfile")).toThrow(/vm.cfg:2: expected/);
});

test("-set changes the option with the id, wherever it stands", () => {
  const { devices, drives } = config(
    ...["-set", "device.d.serial=a,b", "-device", "virtio-blk-device,id=d,drive=x", "-device", "virtio-rng-device"],
    ...[
      "-drive",
      "file=f,id=x",
      "-set",
      "drive.x.format=raw",
      "-device",
      '{"driver":"y","id":"j"}',
      "-set",
      "device.j.n=2",
    ],
  );
  expect(devices).toEqual([
    { driver: "virtio-blk-device", id: "d", drive: "x", serial: "a,b" },
    { driver: "virtio-rng-device" },
    { driver: "y", id: "j", n: "2" },
  ]);
  expect(drives).toEqual([{ file: "f", id: "x", format: "raw" }]);
});

test("name, identity and boot menu", () => {
  const given = config(
    "-name",
    "vm,debug-threads=on",
    "-uuid",
    "550e8400-E29B-41d4-a716-446655440000",
    "-boot",
    "c,menu=on",
  );
  expect([given.name, given.bootMenu]).toEqual(["vm", true]);
  expect(uuidText(given.uuid ?? new Uint8Array())).toBe("550e8400-e29b-41d4-a716-446655440000");
});

test("what the machine does about events of its guest", () => {
  const actions = (...argv: string[]) => machineConfig(parseArguments(argv)).actions;
  expect(actions()).toEqual({
    policies: { reboot: "reset", shutdown: "poweroff", panic: "shutdown" },
    watchdog: { action: "reset" },
  });
  expect(actions("-action", "watchdog=pause,panic=none", "-no-reboot", "-action", "shutdown=pause")).toEqual({
    policies: { reboot: "shutdown", shutdown: "pause", panic: "none" },
    watchdog: { action: "pause" },
  });
  expect(actions("-watchdog-action", "inject-nmi").watchdog.action).toBe("inject-nmi");
  expect(() => actions("-action", "panic=later")).toThrow("-action: 'later' is none of shutdown, pause");
  expect(() => actions("-action", "fire=pause")).toThrow("invalid parameter 'fire'");
  expect(() => actions("-watchdog-action", "x")).toThrow("-watchdog-action: 'x' is none of reset");
});

test.each([
  [["-smp", "1e1"], "-smp 1e1: expected a whole number"],
  [["-smp", "clusters=2"], "no machine has clusters"],
  [["-m", "1.5"], "expected a size such as"],
  [["-m", "128,foo=1"], "invalid parameter 'foo' (known: size, slots, maxmem)"],
  [["-m", "64,64"], "invalid parameter '64'"],
  [["-m", "128,slots=4"], "slots=4 needs maxmem=SIZE"],
  [["-m", "128,slots=x,maxmem=1G"], "-m slots=x: expected a whole number"],
  [["-m", "128,maxmem=64"], "maxmem=64 is less than the 134217728 bytes of memory"],
  [["-m", "128,maxmem=x"], "expected a size such as"],
  [["-name", "x,debug-threads=x"], "-name debug-threads=x: expected on or off"],
  [["-fw_cfg", "name=opt/x,string=a,foo=1"], "invalid parameter 'foo' (known: name, file, string)"],
  [["-fw_cfg", "name=opt/x,string=a,file=b"], "file and string exclude each other"],
  [["-acpitable", "sig=ABCD,rev=300,data=/dev/null"], "-acpitable rev=300: expected a number of 0 to 255"],
  [["-device", "x,__proto__=1"], "invalid parameter '__proto__'"],
  [["-seed", "1e3"], "-seed 1e3: expected a whole number"],
  [["-boot", "menu=maybe"], "-boot menu=maybe: expected on or off"],
])("%j is refused", (argv, why) => {
  expect(() => config(...argv)).toThrow(why);
});

test.each([
  [{ shift: "" }, "shift is 0 to 10, or auto"],
  [{ shift: "1e0" }, "shift is 0 to 10, or auto"],
  [{ align: "x" }, "-icount align=x: expected on or off"],
  [{ sleep: "x" }, "-icount sleep=x: expected on or off"],
  [{ align: "on", sleep: "off" }, "align=on and sleep=off exclude each other"],
])("-icount %j is refused", (values, why) => {
  expect(() => icount(values)).toThrow(why);
});

test.each([
  [{ base: "2020" }, "-rtc base=2020: expected utc, localtime"],
  [{ base: "-1" }, "-rtc base=-1: expected utc, localtime"],
  [{ base: "2020-02-30T25:00:00" }, "expected utc, localtime"],
  [{ clock: "x" }, "-rtc clock=x: expected host, rt or vm"],
])("-rtc %j is refused", (values, why) => {
  expect(() => rtcOffset(values)).toThrow(why);
});

test("-rtc and -icount as they should be", () => {
  expect(Math.abs(rtcOffset({ base: "1970-01-01T00:00:00", clock: "vm" }) + Date.now() * 1e6)).toBeLessThan(60e9);
  expect(rtcOffset({ base: "utc" })).toBe(0);
  expect(icount({ shift: "7", align: "on" })).toEqual({ nsPerInsn: 128, skipIdle: false });
  expect(icount({ shift: "auto", sleep: "off" })).toEqual({ nsPerInsn: 4, skipIdle: true });
});
