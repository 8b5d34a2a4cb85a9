/**
 * The packages' own unit tests in headless Chromium, on a page without cross-origin isolation; those of memory and execution also on one with it
 * (SharedArrayBuffer is there).
 * Run by `pnpm test:browser`. CHROMIUM names the browser; default /usr/bin/chromium.
 */
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import type { Reporter, TestModule } from "vitest/node";

/** What stays outside, and why. Everything else below the command line runs here. */
const NODE_ONLY: Readonly<Record<string, string>> = {
  "packages/host-node/**": "the outside world as Node sees it",
  "packages/cli/**": "a program for Node",
  "**/*.node.test.ts": "parts of a suite that need Node; each file says what for",
};

/** What can tell a page with shared memory from one without: the host, memory, execution. The rest runs once, on the page without it. */
const TELLS_SHARED: readonly string[] = [
  "packages/{host-web,web,system,tcg,linux-user}/{src,tests}/**/*.test.ts",
  "packages/target-x86/tests/locked.test.ts",
];

const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const EXCLUDED: string[] = [...Object.keys(NODE_ONLY), "**/*.nightly.test.ts", "**/node_modules/**", "**/dist/**"];

function mode(name: string, isolated: boolean): TestProjectInlineConfiguration {
  return {
    extends: true,
    server: { headers: isolated ? ISOLATION : {} },
    test: {
      name,
      provide: { isolated },
      include: isolated ? [...TELLS_SHARED] : ["packages/*/{src,tests}/**/*.test.ts"],
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: { executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
        }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

/** One plain line per mode, and a failure when a mode ran nothing. */
class Counts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = new Map<string, { passed: number; failed: number; skipped: number }>();
    for (const module of modules) {
      const name = module.project.name.replace(/ \(chromium\)$/, "");
      const count = counts.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
      counts.set(name, count);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === "pending" ? "skipped" : state]++;
        if (test.diagnostic()?.flaky) process.stdout.write(`passed the second time only  ${test.fullName}\n`);
      }
      // A file that could not be loaded has no tests.
      if (module.state() === "failed" && module.children.size === 0) count.failed++;
    }
    process.stdout.write("\n");
    for (const name of ["isolated", "not isolated"]) {
      const { passed, failed, skipped } = counts.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
      process.stdout.write(`browser, ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
      if (passed === 0) process.exitCode = 1;
    }
  }
}

export default defineConfig({
  resolve: { conditions: ["@mimus/source"] },
  // Suites read their settings from the environment; a page has none.
  define: { "process.env": "{}" },
  // Found while a test runs, they would make the page load again.
  optimizeDeps: { include: ["zod", "eventemitter3", "fast-check"] },
  test: {
    exclude: EXCLUDED,
    setupFiles: ["tools/vitest-setup.ts"],
    fileParallelism: false,
    // Loading the modules again for each file took a third of the time.
    isolate: false,
    testTimeout: 120_000,
    retry: 1,
    hookTimeout: 120_000,
    reporters: ["default", new Counts()],
    projects: [mode("isolated", true), mode("not isolated", false)],
  },
});
