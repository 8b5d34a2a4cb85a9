/**
 * Runs the packages' unit tests in headless Chromium (vitest.browser.config.ts). Without a browser they are skipped, and the reason is printed;
 * with MIMUS_REQUIRE_GUESTS (CI) its absence is an error. Usage: node tools/browser-tests.ts [arguments of vitest]
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const chromium = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
if (existsSync(chromium)) {
  const args = ["run", "--config", "vitest.browser.config.ts", ...process.argv.slice(2)];
  const { status } = spawnSync("vitest", args, { stdio: "inherit", env: { ...process.env, CHROMIUM: chromium } });
  process.exitCode = status ?? 1;
} else {
  const required = process.env["MIMUS_REQUIRE_GUESTS"] !== undefined;
  console.log(
    `${required ? "error" : "skipped"}: ${chromium} is not there. Install Debian's package chromium, or name a Chromium with CHROMIUM=PATH`,
  );
  process.exitCode = required ? 1 : 0;
}
