/** A page that runs programs in user mode, in a headless Chromium without SharedArrayBuffer. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "tsup";

import { type PageServer, servePage } from "../../packages/web/scripts/server.ts";
import type { ProgramResult } from "./kernels/protocol.ts";
import { executablePath } from "./page.ts";

/** Bundles the page from the sources into `folder`. */
async function bundle(folder: string): Promise<void> {
  const here = join(import.meta.dirname, "kernels");
  await build({
    config: false,
    silent: true,
    entry: { main: join(here, "main.ts"), worker: join(here, "worker.ts") },
    outDir: folder,
    format: ["esm"],
    platform: "browser",
    target: "es2022",
    dts: false,
    splitting: false,
    minify: true,
    clean: false,
    noExternal: [/./],
    esbuildOptions(options) {
      options.conditions = ["@mimus/source"];
    },
  });
  cpSync(join(here, "index.html"), join(folder, "index.html"));
}

/** The page with one program beside it. */
export class KernelPage {
  readonly #browser: Browser;
  readonly #server: PageServer;
  readonly #folder: string;
  readonly #page: Page;
  readonly #program: string;

  private constructor(browser: Browser, server: PageServer, folder: string, page: Page, program: string) {
    this.#browser = browser;
    this.#server = server;
    this.#folder = folder;
    this.#page = page;
    this.#program = program;
  }

  /** @param program path of a static ELF file */
  static async open(program: string): Promise<KernelPage> {
    const folder = mkdtempSync(join(tmpdir(), "mimus-kernels-"));
    await bundle(folder);
    const server = await servePage({ page: folder, guests: dirname(program), isolated: false, port: 0 });
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.waitForFunction("typeof runProgram === 'function'");
    if ((await page.evaluate("typeof SharedArrayBuffer")) !== "undefined")
      throw new Error("the page has SharedArrayBuffer: it should not be cross-origin isolated");
    return new KernelPage(browser, server, folder, page, `guests/${basename(program)}`);
  }

  /** Runs the program with arguments after its name, in a worker of its own. */
  run(args: readonly string[]): Promise<ProgramResult> {
    return this.#page.evaluate(`runProgram(${JSON.stringify(this.#program)}, ${JSON.stringify(args)})`);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true });
  }
}
