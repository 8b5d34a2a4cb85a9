import { cpSync } from "node:fs";
import { defineConfig } from "tsup";

/** The page as a static folder: everything bundled, from the sources, so that it needs neither a network nor another package's build. */
export default defineConfig({
  entry: { main: "src/main.ts", worker: "src/worker.ts", style: "src/style.css" },
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
  esbuildOptions(options) {
    options.conditions = ["@mimus/source"];
    options.legalComments = "linked";
  },
  onSuccess: async () => cpSync("public", process.env["MIMUS_WEB_OUT"] ?? "dist", { recursive: true }),
});
