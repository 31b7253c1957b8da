/** What `doctor` asks git: whether it carries the issue file, and merges it well. Commands that only read (G30). */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Check } from "../tracker/Check.ts"
import * as BeadsGitignore from "./BeadsGitignore.ts"
import type { Location } from "./Discovery.ts"
import * as SmallFile from "./SmallFile.ts"

interface Answer {
  /** -1: git cannot be run. */
  readonly code: number
  readonly out: string
}

const git = (directory: string, ...args: ReadonlyArray<string>): Effect.Effect<Answer> =>
  Effect.async(resume => {
    execFile("git", ["--no-optional-locks", ...args], { cwd: directory, maxBuffer: 1 << 26 }, (cause, out) => {
      const code = cause === null ? 0 : typeof cause.code === "number" ? cause.code : -1
      resume(Effect.succeed({ code, out }))
    })
  })

const gitignoreName = "Gitignore"

const gitignore = Effect.fnUntraced(function* ({ directory }: Location) {
  const bytes = yield* Effect.either(SmallFile.read(join(directory, ".gitignore")))
  if (Either.isLeft(bytes)) {
    return {
      name: gitignoreName,
      status: "warning",
      message: `.beads/.gitignore cannot be read: ${bytes.left.detail}`,
      detail: "Without its lines the store, locks and temporary files could be committed.",
      fix: "Make it a file that you may read"
    } satisfies Check
  }
  const lacking = BeadsGitignore.missing(SmallFile.text(bytes.right))
  const check: Check =
    lacking.length === 0
      ? { name: gitignoreName, status: "ok", message: ".beads/.gitignore is up to date" }
      : {
          name: gitignoreName,
          status: "warning",
          message: `.beads/.gitignore lacks ${lacking.join(", ")}`,
          detail: "Without these lines the store, locks and temporary files could be committed.",
          fix: "Run 'bd doctor --fix' to add them"
        }
  return check
})

/** Whether git carries the issue file, and nothing that is local. */
const tracking = Effect.fnUntraced(function* ({ database, directory, issueFile }: Location) {
  const name = "Git Tracking"
  const inside = yield* git(directory, "rev-parse", "--is-inside-work-tree")
  if (inside.code === -1)
    return [{ name, status: "ok", message: "git is not installed" }] satisfies ReadonlyArray<Check>
  if (inside.out.trim() !== "true") {
    return [{ name, status: "ok", message: "not in a git work tree" }] satisfies ReadonlyArray<Check>
  }
  // with -v a rule that makes an exception counts as well
  const ignored = yield* git(directory, "check-ignore", "-q", "--", issueFile)
  const tracked = (yield* git(directory, "ls-files", "-z", "--", ".")).out.split("\0").filter(entry => entry !== "")
  const local = tracked.filter(
    entry => join(directory, entry) === database || /\.(db|lock)(-\w+)?$|\.(tmp|aside)$/.test(entry)
  )
  const checks: Array<Check> = []
  if (ignored.code === 0) {
    const rule = (yield* git(directory, "check-ignore", "-v", "--", issueFile)).out.trim().split("\t")[0] ?? ""
    checks.push({
      name,
      status: "error",
      message: `git ignores ${issueFile}: ${rule}`,
      detail: "The issues are in no commit, so nobody else gets them, and no branch or merge carries them.",
      fix: "Take that rule out of the file named, or add an exception for the issue file behind it"
    })
  }
  if (local.length > 0) {
    checks.push({
      name,
      status: "warning",
      message: `committed to git, and of use on this machine only: ${local.join(", ")}`,
      detail: "A store that comes with a checkout is not the one that knows what was published here.",
      fix: "Take them out of git's index and keep them in the work tree (git rm has an option for that)"
    })
  }
  if (checks.length > 0) return checks
  const there = existsSync(join(directory, issueFile))
  return [
    {
      name,
      status: "ok",
      message: tracked.includes(issueFile)
        ? `git carries ${issueFile}`
        : there
          ? `${issueFile} is not in git yet: git add it to share the issues`
          : `git does not ignore ${issueFile}`
    }
  ] satisfies ReadonlyArray<Check>
})

/** A driver that gets the marker's size for a path, as classic bd wrote it: each merge fails. */
const isBroken = (driver: string): boolean => driver.includes("%L") || driver.includes("%R")

const mergeDriver = Effect.fnUntraced(function* ({ directory, issueFile }: Location) {
  const name = "Merge Driver"
  const attribute = yield* git(directory, "check-attr", "merge", "--", issueFile)
  if (attribute.code !== 0) return []
  const chosen = /: merge: (.*)$/m.exec(attribute.out)?.[1]?.trim() ?? "unspecified"
  const driver = (yield* git(directory, "config", "--get", `merge.${chosen}.driver`)).out.trim()
  const fix = "Run 'bd init --merge-driver'"
  const line = `${basename(directory)}/${issueFile} merge=beads`
  if (["unspecified", "unset", "set", "text", "union"].includes(chosen)) {
    const message =
      chosen === "union"
        ? "git keeps the lines of both sides (merge=union), and the next command merges them"
        : "not set up: git merges the issue file by lines, and two changes of one issue are a conflict"
    return [{ name, status: "ok", message, ...(chosen === "union" ? {} : { fix }) }] satisfies ReadonlyArray<Check>
  }
  const broken = driver === "" || isBroken(driver)
  return [
    broken
      ? {
          name,
          status: driver === "" ? "warning" : "error",
          message:
            driver === ""
              ? `.gitattributes asks for merge=${chosen}, and this clone's git does not know that driver`
              : `the merge driver of classic bd fails on every merge: ${driver}`,
          detail:
            driver === ""
              ? "git then merges by lines without a word. A clone does not bring the setting along."
              : "git passes other things for %L and %R than it expects.",
          fix
        }
      : { name, status: "ok", message: `git merges the issue file with ${driver} (${line})` }
  ] satisfies ReadonlyArray<Check>
})

/** All of it. `location.directory` exists. */
export const examine = Effect.fn("GitChecks.examine")(function* (location: Location) {
  const inWorkTree = yield* git(dirname(location.directory), "rev-parse", "--is-inside-work-tree")
  const checks: ReadonlyArray<Check> = [
    yield* gitignore(location),
    ...(yield* tracking(location)),
    ...(inWorkTree.out.trim() === "true" ? yield* mergeDriver(location) : [])
  ]
  return checks
})
