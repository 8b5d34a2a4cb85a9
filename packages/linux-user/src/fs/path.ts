/** Text of paths. They are absolute unless said otherwise. */

/** Joins a directory and a path, which wins when it is absolute. */
export function joinPath(dir: string, path: string): string {
  if (path.startsWith("/")) return path;
  return dir.endsWith("/") ? dir + path : `${dir}/${path}`;
}

/** Drops `.`, repeated and final slashes, and resolves `..` as if no name before it were a link. */
export function normalisePath(path: string): string {
  const out: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") out.pop();
    else if (name !== "" && name !== ".") out.push(name);
  }
  return `/${out.join("/")}`;
}

/** Everything before the last name; `/` for a name in the root. */
export function dirName(path: string): string {
  const end = path.replace(/\/+$/, "");
  return end.slice(0, Math.max(end.lastIndexOf("/"), 1));
}
