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
  /** Shared by all work trees: where `refs` is. */
  readonly commonDirectory: string
}

/** As git writes it into the directory of a linked work tree. Throws `DiskFailure`. */
const commonDirectoryOf = (disk: Disk, gitDirectory: string): string => {
  const file = Path.join(gitDirectory, "commondir")
  return disk.stat(file) === undefined ? gitDirectory : Path.resolve(gitDirectory, disk.readHead(file).trim())
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
    if (gitDirectory !== undefined) {
      return { workTree, gitDirectory, commonDirectory: commonDirectoryOf(disk, gitDirectory) }
    }
    if (workTree === Path.dirname(workTree)) return undefined
  }
}

/** The lock that git holds while it is at work. */
export const indexLock = (place: GitPlace): string => Path.join(place.gitDirectory, "index.lock")

/** Between two steps of one git command, its directory is still for less than this. */
const stepMillis = 50

/** How long after a stash was stored its reset of the work tree may still be to come. */
const stashMillis = 250

const isYounger = (disk: Disk, path: string, nowMillis: number, millis: number): boolean => {
  const stat = disk.stat(path)
  const age = stat === undefined ? millis : nowMillis - Number(stat.modifiedAt / 1_000_000n)
  return age >= 0 && age < millis
}

/** Whether `git stash` is reading the work tree: it resets it next. Throws `DiskFailure`. */
export const isStashing = (disk: Disk, place: GitPlace): boolean =>
  disk.listNow(place.gitDirectory).some(name => name.startsWith("index.stash."))

/**
 * Whether git may be between two steps of a command. It holds no lock then, has looked at the files already, and replaces
 * them next without looking again: `git merge` between refreshing its index and merging, `git stash` (strace shows it)
 * between reading the work tree and resetting it. What is written meanwhile is in no commit, and soon no longer in the
 * file. While a stash reads there is an `index.stash.PID`; then `refs/stash` is new. Throws `DiskFailure`.
 */
export const isBetweenSteps = (disk: Disk, place: GitPlace, nowMillis: number): boolean =>
  isYounger(disk, place.gitDirectory, nowMillis, stepMillis) ||
  isYounger(disk, Path.join(place.commonDirectory, "refs/stash"), nowMillis, stashMillis) ||
  isStashing(disk, place)
