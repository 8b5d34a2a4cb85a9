import { defineConfig } from "vitest/config";

import base from "./vitest.config.ts";

/** The slow tests: `*.nightly.test.ts` only, one at a time. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["conformance/tests/**/*.nightly.test.ts"],
    exclude: ["**/node_modules/**"],
    fileParallelism: false,
  },
});
