/** The built page in a headless Chromium, served by the page's own development server. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { type Browser, chromium, type Page } from "playwright-core";

import { servePage } from "../../packages/web/scripts/server.ts";

const root = join(import.meta.dirname, "../..");
export const executablePath: string = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether there is a Chromium; with MIMUS_REQUIRE_GUESTS (CI) an absent one is an error. */
export function hasChromium(): boolean {
  const found = existsSync(executablePath);
  if (!found && process.env["MIMUS_REQUIRE_GUESTS"] !== undefined)
    throw new Error(`${executablePath} is missing: .ci/run installs chromium; CHROMIUM names another one`);
  return found;
}

/** A browser, and the page built into a folder of its own. */
export class Site {
  readonly browser: Browser;
  readonly #folder: string;
  readonly #guests: string;
  readonly #open: (() => Promise<void>)[] = [];

  private constructor(browser: Browser, folder: string, guests: string) {
    this.browser = browser;
    this.#folder = folder;
    this.#guests = guests;
  }

  /** @param guest path of any file in the folder of guests' folders, such as guests/riscv64/linux; none for pages without guests */
  static async start(guest: string = ""): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), "mimus-page-"));
    const built = spawnSync(join(root, "node_modules/.bin/tsup"), ["--silent"], {
      cwd: join(root, "packages/web"),
      env: { ...process.env, MIMUS_WEB_OUT: folder },
      encoding: "utf8",
    });
    if (built.status !== 0) throw new Error(`the page was not built:\n${built.stdout}${built.stderr}`);
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return new Site(browser, folder, dirname(dirname(guest)));
  }

  /** Opens the page with the fields of its address. */
  async open(fields: Readonly<Record<string, string>>, options: { isolated: boolean }): Promise<MachinePage> {
    const server = await servePage({ page: this.#folder, guests: this.#guests, isolated: options.isolated, port: 0 });
    const page = await this.browser.newPage();
    this.#open.push(async () => {
      await page.close();
      await server.close();
    });
    const machine = new MachinePage(page, server.url);
    await page.goto(`${server.url}?${new URLSearchParams(fields).toString()}`);
    return machine;
  }

  /** Opens another page of the site. */
  async visit(name: string): Promise<Page> {
    const server = await servePage({ page: this.#folder, guests: this.#guests, isolated: false, port: 0 });
    const page = await this.browser.newPage();
    this.#open.push(async () => {
      await page.close();
      await server.close();
    });
    await page.goto(`${server.url}${name}`);
    return page;
  }

  /** Closes the pages that are open. */
  async closePages(): Promise<void> {
    for (const close of this.#open.splice(0)) await close();
  }

  async close(): Promise<void> {
    await this.closePages();
    await this.browser.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** One page with a machine. */
export class MachinePage {
  readonly page: Page;
  /** Addresses outside the server that the page asked for. */
  readonly foreign: string[] = [];
  /** Errors that nobody caught, and what the browser complains about. */
  readonly complaints: string[] = [];
  /** When the page was asked for; `performance.now()`. */
  readonly openedAt: number = performance.now();

  constructor(page: Page, url: string) {
    this.page = page;
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) this.foreign.push(request.url());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  /** What the terminal shows, without the spaces at the ends of lines. */
  async screen(): Promise<string> {
    const text = await this.page.locator(".xterm-rows").innerText();
    return text.replaceAll("\u00a0", " ").replaceAll(/ +$/gm, "");
  }

  text(id: string): Promise<string> {
    return this.page.locator(`#${id}`).innerText();
  }

  /** Waits until the screen shows `what`. @returns seconds since the page was asked for */
  async shows(what: string | RegExp, timeoutMs: number): Promise<number> {
    const found = (screen: string): boolean => (typeof what === "string" ? screen.includes(what) : what.test(screen));
    return this.#until(found, () => this.screen(), `the terminal shows ${what}`, timeoutMs);
  }

  /** Waits until the status line says `what`. */
  async says(what: string, timeoutMs: number): Promise<number> {
    return this.#until(
      (text) => text === what,
      () => this.text("status"),
      `the status is '${what}'`,
      timeoutMs,
    );
  }

  /** Types into the terminal. */
  async type(text: string): Promise<void> {
    await this.page.locator(".xterm-helper-textarea").focus();
    await this.page.keyboard.type(text);
  }

  async #until(
    found: (text: string) => boolean,
    read: () => Promise<string>,
    what: string,
    timeoutMs: number,
  ): Promise<number> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      if (found(await read())) return (performance.now() - this.openedAt) / 1000;
      const error = await this.text("error");
      if (error !== "" || performance.now() > end)
        throw new Error(
          `${error === "" ? `${timeoutMs} ms passed` : `the page says '${error}'`} before ${what}; it shows:\n${await this.screen()}\n${this.complaints.join("\n")}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
