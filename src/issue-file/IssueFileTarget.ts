/**
 * Which file an issue file's name leads to, and whether it may be written there (G12, G33).
 *
 * A repository comes from somewhere else and may hold links: one is followed only to a regular file inside the work
 * tree, not into `.git`, and not to a database or a lock, which nobody but SQLite may open.
 */
import * as Path from "node:path"
import type { Disk } from "./Disk.ts"
import { findGit } from "./GitWork.ts"

export type Target =
  | { readonly _tag: "Target"; readonly path: string }
  | { readonly _tag: "Refusal"; readonly reason: string }

const maxLinks = 40

const refuse = (reason: string): Target => ({ _tag: "Refusal", reason })

/**
 * The file `named` leads to, which need not exist; its directory must. Throws `DiskFailure`.
 *
 * The work tree is looked for above the directory as it was named: where `.beads` itself is a link, it may lead
 * nowhere else either.
 */
export const findTarget = (disk: Disk, named: string, workTree: string | undefined): Target => {
  const beads = Path.dirname(Path.resolve(named))
  const root = disk.realPath(workTree ?? findGit(disk, beads)?.workTree ?? Path.dirname(beads))
  let path = Path.resolve(named)
  for (let links = 0; links <= maxLinks; links++) {
    path = Path.join(disk.realPath(Path.dirname(path)), Path.basename(path))
    const stat = disk.stat(path)
    if (stat?.kind === "link") {
      path = Path.resolve(Path.dirname(path), disk.readLink(path))
      continue
    }
    if (stat !== undefined && stat.kind !== "file") return refuse(`${path} is not a regular file`)
    const inside = Path.relative(root, path).split(Path.sep)
    if (inside[0] === ".." || inside[0] === "") return refuse(`${path} is outside of ${root}`)
    if (inside.includes(".git")) return refuse(`${path} belongs to git`)
    if (/\.(db|lock)(-\w+)?$/.test(path)) return refuse(`${path} is a database or a lock`)
    return { _tag: "Target", path }
  }
  return refuse("it is a link that leads to no end")
}
