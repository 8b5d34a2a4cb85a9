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
    // Ends what hangs. It is no measure: a busy machine may take ten times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Peers, browsers and sockets share a machine with other runs. The summary names what passed only the second time.
    retry: 1,
    reporters: ["default", "./tools/ci-reporter.mjs"],
  },
});
