import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Tests of whole machines first, they are the longest: whoever is done with them takes the short ones. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const whole = (spec: TestSpecification): boolean => spec.moduleId.includes("/conformance/tests/");
    const sorted = await super.sort(files);
    return [...sorted.filter(whole), ...sorted.filter((spec) => !whole(spec))];
  }
}

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
    // A process for each processor, and many files in each. Processes, not threads: some tests look at the memory or the processor time of theirs.
    pool: "forks",
    isolate: false,
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    setupFiles: ["tools/vitest-setup.ts"],
    // Ends what hangs. It is no measure: a busy machine may take ten times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Peers, browsers and sockets share a machine with other runs. The summary names what passed only the second time.
    retry: 1,
    reporters: ["default", "./tools/ci-reporter.mjs"],
  },
});
