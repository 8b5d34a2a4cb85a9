import { testFormat } from "@mimus/testkit";
import { parallels } from "./format.ts";

testFormat(parallels, {
  variants: { plain: {}, "64k clusters": { cluster_size: 65536 }, "odd clusters": { cluster_size: 1536 } },
});
