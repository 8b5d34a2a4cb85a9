import { testDifferencing } from "@mimus/testkit";
import { vhdx } from "./format.ts";

testDifferencing({ format: vhdx, create: { block_size: 1 << 20 }, refusal: "was changed" });
