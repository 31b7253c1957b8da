/**
 * Where git keeps the index of a work tree, and whether it is at work there.
 *
 * While git replaces files it holds `index.lock` in the git directory of that work tree. It replaces a file by unlink,
 * create, write, so until the lock is gone a missing or cut-off file is nothing to go by (G16). Reads only; git itself
 * is never run.
 */
import * as Path from "node:path"
import type { Disk } from "./Disk.ts"

export interface GitPlace {
  /** The directory that holds `.git`. */
  readonly workTree: string
  /** Of this work tree: for a linked one `…/.git/worktrees/<name>`. */
  readonly gitDirectory: string
}

/** The git directory that `workTree/.git` is or names. Throws `DiskFailure`. */
const gitDirectoryOf = (disk: Disk, workTree: string): string | undefined => {
  const entry = Path.join(workTree, ".git")
  const stat = disk.stat(entry)
  if (stat === undefined) return undefined
  if (stat.kind === "file") {
    // a linked work tree or a submodule: the file names the directory
    const named = /^gitdir: ([^\n\r]+)/.exec(disk.readHead(entry))?.[1]
    return named === undefined ? undefined : Path.resolve(workTree, named)
  }
  // as git does, an empty `.git` directory is passed by
  return disk.stat(Path.join(entry, "HEAD")) === undefined ? undefined : entry
}

/** The work tree that `directory` lies in, looked for upwards; undefined outside of git. Throws `DiskFailure`. */
export const findGit = (disk: Disk, directory: string): GitPlace | undefined => {
  for (let workTree = Path.resolve(directory); ; workTree = Path.dirname(workTree)) {
    const gitDirectory = gitDirectoryOf(disk, workTree)
    if (gitDirectory !== undefined) return { workTree, gitDirectory }
    if (workTree === Path.dirname(workTree)) return undefined
  }
}

/** The lock that git holds while it is at work. */
export const indexLock = (place: GitPlace): string => Path.join(place.gitDirectory, "index.lock")
