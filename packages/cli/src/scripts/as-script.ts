/** What the text of a module becomes a function of. */
const PARAMETERS = "exports, require, importModule, moduleUrl";

const IMPORT = /(?<=^|;)import\s*(?:([\w$]+)\s*,?\s*)?(?:\{([^}]*)\}\s*)?(?:from\s*)?"([^"]+)";?/gm;
const EXPORT = /(?<=^|[;}])export\s*\{([^}]*)\};?/gm;
const DYNAMIC = /(?<![#.\w$])import(?=\()/g;
const URL_OF_MODULE = /\bimport\.meta\.url\b/g;

/**
 * A module as the text of a script whose value is a function: V8 keeps of a script what its functions were compiled to while they
 * ran, of a module only what was compiled at once. It is for modules as this project's build writes them: no `export *`, no
 * `await` outside functions, nothing exported that changes later. Lines stay where they are.
 */
export function asScript(module: string): string {
  const required: string[] = [];
  const exported: string[] = [];
  const body = module
    .replace(IMPORT, (statement, whole: string | undefined, names: string | undefined, from: string) => {
      const all = [
        ...(whole === undefined ? [] : [`default: ${whole}`]),
        ...pairs(names, (name, as) => `${name}: ${as}`),
      ];
      required.push(`${all.length === 0 ? "" : `const { ${all.join(", ")} } = `}require("${from}");`);
      return linesOf(statement);
    })
    .replace(EXPORT, (statement, names: string) => {
      exported.push(...pairs(names, (name, as) => `${as}: ${name}`));
      return linesOf(statement);
    })
    .replace(DYNAMIC, "importModule")
    .replace(URL_OF_MODULE, "moduleUrl()")
    // Such characters stand in comments and strings; texts of one byte per character are read in no time.
    .replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `(function (${PARAMETERS}) {"use strict";${required.join("")}${body}\nObject.assign(exports, { ${exported.join(", ")} });})`;
}

/** `a, b as c` of a statement. */
function pairs(names: string | undefined, text: (name: string, as: string) => string): string[] {
  return (names ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const [name = "", as = name] = part.split(/\s+as\s+/);
      return text(name, as);
    });
}

const linesOf = (statement: string): string => statement.replace(/[^\n]+/g, "");
