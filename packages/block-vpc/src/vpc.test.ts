import { testFormat } from "@mimus/testkit";
import { vpc } from "./format.ts";

testFormat(vpc, {
  variants: { dynamic: { subformat: "dynamic" }, exact: { force_size: true } },
  size: 5 * 1024 * 1024 + 512,
});
