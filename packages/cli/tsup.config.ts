import { defineConfig } from "tsup";

import base from "../../tsup.config.ts";

/** One executable per command; what they share is split into chunks. */
export default defineConfig({
  ...base,
  entry: ["src/main.ts", "src/system-riscv64.ts", "src/system-riscv32.ts"],
  splitting: true,
});
