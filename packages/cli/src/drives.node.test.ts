import { tmpdir } from "node:os";

import block from "@mimus/block";
import { Registry } from "@mimus/qom";
import { expect, test } from "vitest";

import { parseArguments } from "./args/parse.ts";
import { isUserError } from "@mimus/qom";
import { machineConfig } from "./config.ts";
import { openDrives } from "./drives.ts";
import { checkIgnored } from "./ignored-options.ts";
import { logging } from "./logging.ts";
import { openShare } from "./shares.ts";

test.each([
  ["secret,data=x", "-object secret,id=: Parameter 'id' is missing"],
  ["secret,id=a", "-object secret,id=a: Either 'file' or 'data' must be provided"],
  ["secret,id=a,data=x,foo=1", "Parameter 'foo' is unexpected"],
  ["secret,id=a,data=!!,format=base64", "Base64 data contains invalid characters"],
  ["secret,id=a,file=/no/such/file", "-object secret,id=a: Could not open '/no/such/file'"],
  ["throttle-group,id=a,limits.x=1", "invalid parameter 'limits.x'"],
  ["tls-creds-x509,id=a", "--object tls-creds-x509,id=a: needs dir="],
  ["tls-creds-psk,id=a,dir=/,endpoint=x", "endpoint=x: expected client or server"],
  ["tls-creds-anon,id=a", "only tls-creds-x509 and tls-creds-psk are there"],
])("-object %s is refused before the machine runs", async (text, why) => {
  const config = machineConfig(parseArguments(["-object", text]));
  const error: unknown = await openDrives(config, new Registry().use(block), "none").catch((e: unknown) => e);
  expect((error as Error).message).toContain(why);
  expect(isUserError(error)).toBe(true);
});

test.each([
  ["bus=x", "-drive: option 'bus': expected an integer 0..4294967295"],
  ["media=tape", "-drive: option 'media': expected 'disk' or 'cdrom'"],
  ["werror=x", "-drive: option 'werror': expected 'report', 'stop', 'enospc' or 'ignore'"],
  ["cache.direct=x", "-drive cache: option 'direct': expected on or off"],
  ["cache.foo=on", "-drive cache has no option 'foo'"],
])("-drive %s is refused in plain words", async (text, why) => {
  const config = machineConfig(parseArguments(["-drive", text]));
  await expect(openDrives(config, new Registry().use(block), "none")).rejects.toThrow(why);
});

test.each([
  ["sandbox", "x", "-sandbox enable=x: expected one of on, off"],
  ["sandbox", "on,foo=1", "-sandbox: invalid parameter 'foo'"],
  ["sandbox", "on,spawn=maybe", "-sandbox spawn=maybe: expected one of allow, deny"],
  ["msg", "timestamp=x", "-msg timestamp=x: expected one of on, off"],
  ["overcommit", "mem-lock=x", "-overcommit mem-lock=x: expected one of on, off"],
])("-%s %s is refused, though it changes nothing", (name, value, why) => {
  expect(() => checkIgnored([{ name, value }])).toThrow(why);
  checkIgnored([{ name: "sandbox", value: "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny" }]);
});

test.each([
  ["security_model", undefined, "needs security_model=none or passthrough"],
  ["multidevs", "x", "there are: remap, forbid, warn"],
  ["writeout", "x", "there is only 'immediate'"],
])("-fsdev local,%s=%s is refused", (key, value, why) => {
  const share = { fsdriver: "local", id: "a", path: tmpdir(), security_model: "none" };
  expect(() => openShare({ ...share, [key]: value })).toThrow(why);
});

test.each([
  ["constructor", undefined, "-d constructor: no such item"],
  ["exec", "5..1", "-dfilter 5..1: expected addresses below 2^64"],
  ["exec", "0+0", "-dfilter 0+0: expected addresses below 2^64"],
  ["exec", "0..0x10000000000000000", "expected addresses below 2^64"],
])("-d %s -dfilter %s is refused", (items, filter, why) => {
  expect(() => logging(items, undefined, filter)).toThrow(why);
});
