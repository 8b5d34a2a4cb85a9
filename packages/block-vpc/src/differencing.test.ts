import { testDifferencing } from "@mimus/testkit";
import { vpc } from "./format.ts";

testDifferencing({ format: vpc, create: { force_size: true }, refusal: "is not the parent that it was made for" });
