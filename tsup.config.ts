import { defineConfig } from "tsup";

/** One build for every package: its `src/index.ts` to ES modules. Declarations come from `tsc -b`. */
export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: false,
  target: "node24",
});
