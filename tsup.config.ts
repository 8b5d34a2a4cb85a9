import { defineConfig, type Options } from "tsup";

/**
 * Asks Node for its modules as objects: an `import` of one reads everything that it exports, and for `fs` and `util` that loads
 * streams and a parser of arguments, 5 ms each of a cold start.
 */
const builtinsAsTheyAre: NonNullable<Options["plugins"]>[number] = {
  name: "builtins-as-they-are",
  renderChunk(code) {
    const first: string[] = [];
    const rest = code.replaceAll(
      /(?<![.\w$"'])import\s*(?:\{([^}]*)\}|\*\s*as\s+([\w$]+))\s*from\s*"((?:node:)?(?:fs|fs\/promises|util|https?))";?/g,
      (_, names: string | undefined, all: string | undefined, module: string) => {
        const target = names === undefined ? all : `{${names.replaceAll(/\s+as\s+/g, ":").replaceAll(/\s+/g, "")}}`;
        first.push(`const ${target}=process.getBuiltinModule("${module}");`);
        return "";
      },
    );
    // Where imports take effect; on the line that is first, so that source maps hold.
    const [, shebang = "", body = rest] = /^(#!.*\n)?([^]*)$/.exec(rest) ?? [];
    return { code: shebang + first.join("") + body };
  },
};

/** One build for every package: its `src/index.ts` to ES modules. Declarations come from `tsc -b`. */
export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: false,
  plugins: [builtinsAsTheyAre],
  // To find a package takes a millisecond of a cold start; this one is the only one that is loaded for every command.
  noExternal: ["eventemitter3"],
  target: "node24",
});
