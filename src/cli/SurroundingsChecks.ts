/**
 * What `doctor` looks at beside `.beads` itself: a daemon of the classic tool, git hooks that call `bd`, the file system.
 * Reads only.
 */
import { execFile } from "node:child_process"
import { existsSync, readFileSync, statfsSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import type { Check } from "../tracker/Check.ts"
import { isAlive } from "../tracker/Examination.ts"
import * as Argv from "./Argv.ts"
import type { Location } from "./Discovery.ts"

const text = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** The process that a pid file names, if it lives and is no other that was given the number since. */
const daemonOf = (directory: string): number | undefined => {
  const pid = Number(text(join(directory, "daemon.pid"))?.trim())
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined
  const command = text(`/proc/${pid}/cmdline`)
  return command === undefined || /\bbd\b/.test(command) ? pid : undefined
}

const daemon = ({ directory }: Location): Check => {
  const name = "Classic Daemon"
  const pid = daemonOf(directory)
  if (pid !== undefined) {
    return {
      name,
      status: "error",
      message: `a daemon of the classic bd seems to be running here: process ${pid}`,
      detail:
        "It writes the issue file from a database of its own and takes no lock of this bd, so each overwrites what the other has just written.",
      fix: `End that process; this bd needs no daemon`
    }
  }
  const left = ["daemon.pid", "bd.sock", "daemon.lock"].filter(file => existsSync(join(directory, file)))
  return {
    name,
    status: "ok",
    message: left.length === 0 ? "none is running" : `none is running; left from one, and of no use: ${left.join(", ")}`
  }
}

const git = (directory: string, ...args: ReadonlyArray<string>): Effect.Effect<string | undefined> =>
  Effect.async(resume => {
    execFile("git", ["--no-optional-locks", ...args], { cwd: directory }, (cause, out) => {
      resume(Effect.succeed(cause === null ? out.trim() : undefined))
    })
  })

/** The `bd …` that a line of a hook runs, as far as it is plain words. */
const called = /(?:^|[;&|(!{]|\b(?:if|then|do|else|exec))\s*bd((?:\s+[\w./=-]+)+)/g

/** What this `bd` would only say that it does not have. */
const isUnknown = (words: ReadonlyArray<string>): boolean => {
  const reading = Argv.read(words)
  if (reading._tag !== "Invocation") return reading._tag === "Misread"
  const [first = ""] = reading.command.path
  const isOn = (flag: string) => Argv.isOn(reading.flags.get(flag))
  return (
    ["daemon", "hooks", "resolve"].includes(first) || (first === "sync" && !isOn("flush-only") && !isOn("import-only"))
  )
}

const hookNames = ["pre-commit", "prepare-commit-msg", "post-commit", "post-merge", "post-checkout", "pre-push"]

const hooks = Effect.fnUntraced(function* ({ directory }: Location) {
  const name = "Git Hooks"
  const place = yield* git(directory, "rev-parse", "--git-path", "hooks")
  if (place === undefined) return [] satisfies ReadonlyArray<Check>
  const calls = hookNames.flatMap(hook =>
    (text(join(resolve(directory, place), hook)) ?? "")
      .split("\n")
      .filter(line => !/^\s*(?:#|echo\b|printf\b)/.test(line))
      .flatMap(line => [...line.matchAll(called)].map(([, words = ""]) => ({ hook, words: words.trim().split(/\s+/) })))
  )
  const unknown = calls.filter(({ words }) => isUnknown(words))
  const check: Check =
    unknown.length > 0
      ? {
          name,
          status: "warning",
          message: `git hooks call what this bd does not have: ${unknown.map(({ hook, words }) => `${hook}: bd ${words.join(" ")}`).join("; ")}`,
          detail: "They were made for the classic bd, and fail at that place: a commit or a push may be refused.",
          fix: "Take those lines out of the hooks. Every command publishes what it changes; 'bd flush' before a commit is enough"
        }
      : {
          name,
          status: "ok",
          message:
            calls.length === 0
              ? "none calls bd, and none needs to"
              : `${[...new Set(calls.map(({ hook }) => hook))].join(", ")}: what they call is here`
        }
  return [check] satisfies ReadonlyArray<Check>
})

/** The magic numbers of statfs(2) of file systems that other machines write to, or that may be such. */
const networks: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4283649346: "CIFS",
  4266872130: "SMB2",
  1397113167: "AFS",
  1799439955: "AFS",
  1937076805: "Coda",
  12805120: "Ceph",
  198183888: "Lustre",
  16914839: "9P, a file system of the host",
  2020557398: "a shared folder of VirtualBox",
  1702057286: "FUSE, perhaps of another machine"
}

/** What a file system of this type is called, if it may be on another machine. */
export const networkName = (type: number): string | undefined => networks[type >>> 0]

const fileSystem = ({ directory }: Location): Check => {
  const name = "File System"
  let type: number
  try {
    type = statfsSync(directory).type
  } catch {
    return { name, status: "ok", message: "not known" }
  }
  // the numbers are Linux's
  const network = process.platform === "linux" ? networkName(type) : undefined
  return network === undefined
    ? { name, status: "ok", message: "a local one" }
    : {
        name,
        status: "warning",
        message: `.beads is on ${network}`,
        detail:
          "Locks, fsync and SQLite's log promise less on file systems of the network; nothing of it was tried here.",
        fix: "Work in a clone on a local disk; git brings the issues there"
      }
}

/** All of it. `location.directory` exists. */
export const examine = Effect.fn("SurroundingsChecks.examine")(function* (location: Location) {
  const checks: ReadonlyArray<Check> = [daemon(location), ...(yield* hooks(location)), fileSystem(location)]
  return checks
})
