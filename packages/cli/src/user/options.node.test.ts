import { expect, test } from "vitest";

import { parseUserOptions } from "./options.ts";

test.each([
  [["-L", "", "prog"], "-L : there is no such directory"],
  [["-L", "/no/such/folder", "prog"], "-L /no/such/folder: there is no such directory"],
  [["-L", "/etc/passwd", "prog"], "-L /etc/passwd: there is no such directory"],
  [["-p", "x", "prog"], "-p x: expected a number"],
  [["-p", "4097", "prog"], "-p 4097: expected a power of two"],
])("%j is refused in one line", (argv, why) => {
  expect(() => parseUserOptions(argv)).toThrow(why);
});

test("the last folder and page size are taken", () => {
  expect(parseUserOptions(["-p", "65536", "-L", "/", "prog"]).sysroot).toBe("/");
});
