import { cpSync } from "node:fs";
import { defineConfig, type Options } from "tsup";

/** Messages in the 50 languages of zod were a quarter of the worker; English is the one that is used. */
const englishOnly: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "english-only",
  setup: (build) =>
    build.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    })),
};

/** The page as a static folder: everything bundled, from the sources, so that it needs neither a network nor another package's build. */
export default defineConfig({
  entry: {
    main: "src/main.ts",
    worker: "src/worker.ts",
    style: "src/style.css",
    images: "src/images/main.ts",
    "images-style": "src/images.css",
  },
  outDir: process.env["MIMUS_WEB_OUT"] ?? "dist",
  format: ["esm"],
  platform: "browser",
  target: "es2022",
  dts: false,
  splitting: false,
  minify: true,
  sourcemap: true,
  clean: true,
  noExternal: [/./],
  esbuildPlugins: [englishOnly],
  esbuildOptions(options) {
    options.conditions = ["@mimus/source"];
    options.legalComments = "linked";
  },
  onSuccess: async () => cpSync("public", process.env["MIMUS_WEB_OUT"] ?? "dist", { recursive: true }),
});
