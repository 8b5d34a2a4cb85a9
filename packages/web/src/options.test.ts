import { expect, test } from "vitest";

import { bootOptions, fieldsOf, OptionError, pageOptions } from "./options.ts";

test("an address names everything", () => {
  const fields = fieldsOf("?kernel=linux&initrd=i.gz&bios=fw.bin&append=console%3DttyS0+quiet&memory=256&cpus=2&disk=");
  expect(bootOptions(fields)).toEqual({
    target: "riscv64",
    memory: 256,
    cpus: 2,
    bios: "fw.bin",
    keep: false,
    kernel: "linux",
    initrd: "i.gz",
    append: "console=ttyS0 quiet",
  });
  expect(pageOptions(fields)).toEqual({ autostart: true, run: "worker", screenReader: false });
});

test("a PC has its firmware and ROMs in one folder", () => {
  expect(bootOptions(fieldsOf("?target=i386&floppy=a.img"))).toMatchObject({
    bios: "firmware/bios-256k.bin",
    roms: "firmware/",
    floppy: "a.img",
  });
  expect(bootOptions(fieldsOf("?target=x86_64&bios=bios.bin&cdrom=x.iso"))).toMatchObject({ roms: "", cdrom: "x.iso" });
  expect(pageOptions(fieldsOf("?target=x86_64&cdrom=x.iso")).autostart).toBe(true);
});

test("an empty address starts nothing", () => {
  expect(pageOptions(fieldsOf(""))).toEqual({ autostart: false, run: "worker", screenReader: false });
  expect(pageOptions(fieldsOf("?bios=fw&autostart=off&run=page&screenreader=on"))).toEqual({
    autostart: false,
    run: "page",
    screenReader: true,
  });
});

test.each([
  ["?kernal=x", "no parameter 'kernal'; there are: kernel, initrd,"],
  ["", "nothing to boot"],
  ["?bios=none", "nothing to boot"],
  ["?bios=fw&initrd=x", "An initial RAM disk needs a kernel"],
  ["?bios=fw&append=x", "A command line needs a kernel"],
  ["?bios=fw&memory=lots", "memory=lots: write a whole number from 1 to 3584"],
  ["?bios=fw&memory=9999", "memory=9999"],
  ["?bios=fw&cpus=0", "cpus=0"],
  ["?bios=fw&target=arm", "target=arm: write riscv64 or riscv32 or x86_64 or i386"],
  ["?bios=fw&floppy=x", "only a PC"],
  ["?target=i386&bios=none&floppy=x", "A PC needs a firmware"],
  ["?bios=fw&run=cloud", "run=cloud: write worker or page"],
])("%s is a mistake that is told", (query, message) => {
  const act = (): void => {
    const fields = fieldsOf(query);
    pageOptions(fields);
    bootOptions(fields);
  };
  expect(act).toThrow(OptionError);
  expect(act).toThrow(message);
});
