import { expect, it } from "vitest";
import { QomError } from "./errors.ts";
import { isUserError, type UserError } from "./user-error.ts";

/** As a package of someone else declares it. */
class PumpError extends Error implements UserError {
  readonly forUser = true;
}

it("tells mistakes of a user from faults of the program", () => {
  expect(isUserError(new QomError("unknown-type", "there is no device 'x'"))).toBe(true);
  expect(isUserError(new PumpError("the pump needs water"))).toBe(true);
  expect(isUserError(new TypeError("x is not a function"))).toBe(false);
  expect(isUserError(Object.assign(new Error("no"), { forUser: "yes" }))).toBe(false);
  expect(isUserError({ forUser: true })).toBe(false);
});
