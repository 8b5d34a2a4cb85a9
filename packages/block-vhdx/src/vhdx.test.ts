import { testFormat } from "@mimus/testkit";
import { vhdx } from "./format.ts";

testFormat(vhdx, {
  variants: { dynamic: { block_size: 1 << 20 }, fixed: { subformat: "fixed", block_size: 1 << 20 } },
});
