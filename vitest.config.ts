import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@mimus/source"] },
  ssr: { resolve: { conditions: ["@mimus/source"] } },
  test: {
    include: [
      "packages/*/{src,tests}/**/*.test.ts",
      "plugins/*/src/**/*.test.ts",
      "tools/**/*.test.ts",
      "conformance/tests/**/*.test.ts",
    ],
    exclude: ["**/*.nightly.test.ts", "**/node_modules/**", "**/dist/**", "tools/canary/**"],
    pool: "threads",
    isolate: false,
    reporters: ["default", "./tools/ci-reporter.mjs"],
  },
});
