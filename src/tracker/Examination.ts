/**
 * Looks at one `.beads` directory, with what is broken in it: file, store, lock, leftovers. For `doctor`.
 *
 * Reads only, takes no lock and opens no tracker, so it works where those would fail. Each check says what it means and
 * what to do about it; nothing destructive is spelled out (G32).
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as DependencyGraph from "../domain/DependencyGraph.ts"
import * as Issue from "../domain/Issue.ts"
import * as IssueFile from "../issue-file/IssueFile.ts"
import * as IssueLine from "../issue-file/IssueLine.ts"
import * as IssueLines from "../issue-file/IssueLines.ts"
import * as LockHolder from "../issue-file/LockHolder.ts"
import * as StoreInspection from "../store/StoreInspection.ts"
import { type Check, counted, ok, publishing, some } from "./Check.ts"
import * as StoreChecks from "./StoreChecks.ts"
import { isElsewhere } from "./Upkeep.ts"

export interface Place {
  readonly directory: string
  /** The issue file's name in it. */
  readonly issueFile: string
  /** Path of the store. */
  readonly store: string
}

/** The issue file as far as it can be read. */
type FileState =
  | { readonly _tag: "Unusable"; readonly error: IssueFile.IssueFileError }
  | { readonly _tag: "Missing"; readonly path: string }
  | {
      readonly _tag: "File"
      readonly path: string
      readonly hash: string
      readonly size: number
      readonly reading: IssueLines.Reading
    }

const readFile = ({ directory, issueFile }: Place): Effect.Effect<FileState> =>
  Effect.gen(function* () {
    const file = yield* IssueFile.make({ path: join(directory, issueFile), gitTimeout: "2 seconds" })
    return Option.match(yield* file.read, {
      onNone: (): FileState => ({ _tag: "Missing", path: file.path }),
      onSome: ({ bytes, hash }): FileState => ({
        _tag: "File",
        path: file.path,
        hash,
        size: bytes.length,
        reading: IssueLines.read(bytes)
      })
    })
  }).pipe(Effect.catchAll(error => Effect.succeed<FileState>({ _tag: "Unusable", error })))

const isConflict = ({ reason }: IssueLines.UnreadableText): boolean => reason.includes("conflict marker")

const issueFile = (name: string, file: FileState, rows: ReadonlyArray<StoreInspection.InspectedRow>): Check => {
  const check = "Issue File"
  if (file._tag === "Unusable") {
    const { error } = file
    return error._tag === "GitAtWork"
      ? {
          name: check,
          status: "warning",
          message: `git is at work, or was killed: ${error.lock} exists`,
          detail:
            "While git replaces files the issue file is neither trusted nor replaced: commands wait, then give up.",
          fix: "Try again when git is done. If no git runs any more, it says itself, on its next command, what to do with that file"
        }
      : {
          name: check,
          status: "error",
          message: error.message,
          detail: "Without it nothing can be read in and nothing published. Changes stay in the store.",
          fix: "See to what the message says, then try again"
        }
  }
  if (file._tag === "Missing") {
    return rows.length === 0
      ? ok(check, `no ${name} yet: it comes with the first issue`)
      : {
          name: check,
          status: "warning",
          message: `${name} is missing; the store has ${counted(rows.length, "issue", "issues")}`,
          detail: "Nothing is lost: the next change writes it anew from the store.",
          fix: publishing
        }
  }
  const { lines, unreadable } = file.reading
  if (unreadable.length === 0) {
    return ok(check, `${name}: ${counted(lines.length, "line", "lines")}, all of them can be read`)
  }
  const conflicts = unreadable.filter(isConflict)
  const others = unreadable.filter(line => !isConflict(line))
  return {
    name: check,
    status: "error",
    message: `${name}: ${counted(unreadable.length, "line", "lines")} cannot be read${conflicts.length > 0 ? `, ${conflicts.length} of them git conflict markers` : ""}`,
    detail: [
      ...(conflicts.length === 0
        ? []
        : [
            `line ${conflicts.map(({ number }) => number).join(", ")}: git conflict markers. git could not merge the file line by line; what stands between the markers are whole issues of both sides. Keep those all and take out the marker lines only: bd then merges two lines of one issue field by field. With 'bd init --merge-driver' git leaves the merging to bd.`
          ]),
      ...(others.length === 0 ? [] : [some(others.map(({ number, reason }) => `line ${number}: ${reason}`))]),
      "Nothing is read from the file and nothing published into it until every line can be read. Changes stay in the store."
    ].join("\n"),
    fix: "Correct the lines in an editor, or move them aside into .beads/quarantine with 'bd doctor --fix --quarantine'"
  }
}

const doubled = (file: FileState): ReadonlyArray<Check> => {
  if (file._tag !== "File" || file.reading.unreadable.length > 0) return []
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { id } of file.reading.lines) (seen.has(id) ? twice : seen).add(id)
  if (twice.size === 0) return [ok("Issue IDs", "each id stands on one line")]
  return [
    {
      name: "Issue IDs",
      status: "warning",
      message: `${counted(twice.size, "issue stands", "issues stand")} on more than one line`,
      detail: `${some([...twice])}\nTwo versions of an issue side by side: the next change merges them, field by field.`,
      fix: publishing
    }
  ]
}

const inStep = (file: FileState, store: StoreInspection.StoreInspection): ReadonlyArray<Check> => {
  const name = "DB-JSONL Sync"
  if (file._tag !== "File" || store._tag !== "Store") return []
  if (file.hash === store.fileHash) return [ok(name, "the store knows the issue file as it is")]
  const inFile = new Set(file.reading.lines.map(({ id }) => id))
  const inStore = new Set(store.rows.map(({ id }) => id))
  const missing = store.rows.filter(({ id }) => !inFile.has(id)).length
  const fresh = [...inFile].filter(id => !inStore.has(id)).length
  return [
    ok(
      name,
      "the issue file was changed by another program; the next command takes that over",
      [
        ...(fresh > 0 ? [`${counted(fresh, "issue", "issues")} of the file the store does not have yet`] : []),
        ...(missing > 0
          ? [
              `${counted(missing, "issue", "issues")} of the store the file does not have: they come back with the next change`
            ]
          : [])
      ].join("\n") || undefined
    )
  ]
}

/** Whether a process of this number runs, be it somebody else's. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return typeof cause === "object" && cause !== null && "code" in cause && cause.code === "EPERM"
  }
}

const tempFile = /^\..+?\.(\d+)(?:\.[0-9a-f]+)?\.tmp$/

const entries = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory).sort()
  } catch {
    // the check of permissions tells
    return []
  }
}

/** Temp files of processes that ended before they could remove them: paths. */
export const staleTempFiles = (directory: string): ReadonlyArray<string> =>
  [directory, join(directory, "quarantine")].flatMap(at =>
    entries(at).flatMap(entry => {
      const pid = tempFile.exec(entry)?.[1]
      return pid === undefined || isAlive(Number(pid)) ? [] : [join(at, entry)]
    })
  )

const leftovers = ({ directory, issueFile: file, store }: Place): ReadonlyArray<Check> => {
  const there = entries(directory)
  const kept = there.filter(entry => entry.startsWith(`.${file}.`) && /\.[0-9a-f]{12}\.aside$/.test(entry))
  const temps = staleTempFiles(directory)
  const checks: ReadonlyArray<Check | undefined> = [
    temps.length === 0
      ? undefined
      : {
          name: "Leftovers",
          status: "warning",
          message: `${counted(temps.length, "temporary file", "temporary files")} of processes that were killed`,
          detail: some(temps.map(path => basename(path))),
          fix: "They hold nothing that is not elsewhere. Run 'bd doctor --fix' to remove them"
        },
    there.includes(`.${file}.aside`)
      ? {
          name: "Leftovers",
          status: "warning",
          message: `.${file}.aside: a process was killed just when it had replaced the issue file`,
          detail:
            "What another program may have written into the replaced file is looked at by the next change, and kept.",
          fix: publishing
        }
      : undefined,
    kept.length === 0
      ? undefined
      : {
          name: "Leftovers",
          status: "warning",
          message: `${counted(kept.length, "file is", "files are")} kept because bd could not read what another program had written`,
          detail: some(kept),
          fix: "Compare with the issue file, take over what is missing (bd import -i reads a corrected copy), then remove it yourself"
        },
    there.includes(`${basename(store)}.new`)
      ? {
          name: "Leftovers",
          status: "warning",
          message: `${basename(store)}.new: the takeover of the classic database was interrupted`,
          detail: "The classic database is complete in its place.",
          fix: "Run any command: it begins anew"
        }
      : undefined
  ]
  const found = checks.filter(check => check !== undefined)
  return found.length > 0 ? found : [ok("Leftovers", "none")]
}

/** Files that other tools would load as the tracker's own. */
const otherFiles = ({ directory, issueFile: file, store }: Place): Check => {
  const names = entries(directory).filter(entry => /\.(jsonl|db)$/.test(entry) && !entry.startsWith("."))
  const others = names.filter(entry => entry !== file && join(directory, entry) !== store)
  return others.length === 0
    ? ok("Database Files", "no other database or issue file")
    : {
        name: "Database Files",
        status: "warning",
        message: `other files that end in .jsonl or .db: ${others.join(", ")}`,
        detail: `bd reads ${file} and ${basename(store)} only. Viewers and editors may load whatever ends so.`,
        fix: "Move out of .beads what no tool of yours needs there"
      }
}

const permissions = ({ directory, issueFile: file, store }: Place): Check => {
  const denied = [directory, join(directory, file), store].filter(path => {
    if (path !== directory && !existsSync(path)) return false
    try {
      accessSync(path, constants.R_OK | constants.W_OK)
      return false
    } catch {
      return true
    }
  })
  return denied.length === 0
    ? ok("Permissions", "all of it can be written")
    : {
        name: "Permissions",
        status: "error",
        message: `cannot be written: ${denied.join(", ")}`,
        detail: "Every change fails. Reads answer from the issue file, if that can be read.",
        fix: "Give yourself the right to write there; on a read-only file system, work in a copy"
      }
}

const lock = (path: string, state: LockHolder.LockState): Check => {
  switch (state._tag) {
    case "Free":
      return ok("Lock", "free")
    case "Unusable":
      return {
        name: "Lock",
        status: "error",
        message: `${path} cannot be used: ${state.reason}`,
        fix: "Make it a file that you may read and write"
      }
    case "Held": {
      const who = state.holders.map(
        ({ command, pid, runningFor }) =>
          `process ${pid}${runningFor === undefined ? "" : `, running for ${runningFor} s`}${command === "" ? "" : `: ${command}`}`
      )
      return {
        name: "Lock",
        status: "warning",
        message: "another process is at work right now",
        detail: who.length === 0 ? "It cannot be told which." : some(who),
        fix: "Commands wait for it (--lock-timeout). If it hangs, end that process: the lock is free as soon as it is gone; the lock file stays where it is"
      }
    }
  }
}

/** Every issue in its newest form: what is changed in the store, else the line of the file, else the store's. */
const issuesOf = (file: FileState, rows: ReadonlyArray<StoreInspection.InspectedRow>): ReadonlyArray<Issue.Issue> => {
  const lines = new Map(rows.map(({ id, line }) => [id, line]))
  if (file._tag === "File") for (const { id, text } of file.reading.lines) lines.set(id, text)
  for (const { dirty, id, line } of rows) if (dirty) lines.set(id, line)
  return [...lines.values()].flatMap(line => {
    const record = IssueLine.decode(line)
    return IssueLine.isUnreadable(record) ? [] : [Issue.fromRecord(record)]
  })
}

const dependencies = (all: ReadonlyArray<Issue.Issue>): ReadonlyArray<Check> => {
  const known = new Set(all.map(({ id }) => id))
  const alive = all.filter(({ status }) => status !== "tombstone")
  const living = new Set(alive.map(({ id }) => id))
  const edges = alive.flatMap(({ dependencies: links, id }) =>
    links.map(({ depends_on_id, type }) => ({ issueId: id, dependsOnId: depends_on_id, type }))
  )
  const dangling = edges.filter(({ dependsOnId }) => !known.has(dependsOnId) && !isElsewhere(dependsOnId))
  const cycles = DependencyGraph.findCycles(edges.filter(({ dependsOnId }) => living.has(dependsOnId)))
  return [
    dangling.length === 0
      ? ok("Dependencies", `${counted(edges.length, "dependency", "dependencies")}, each on an issue that exists`)
      : {
          name: "Dependencies",
          status: "warning",
          message: `${counted(dangling.length, "dependency", "dependencies")} on issues that do not exist`,
          detail: `${some(dangling.map(({ dependsOnId, issueId }) => `${issueId} depends on ${dependsOnId}`))}\nThey hold nothing up. The issue may come with another branch.`,
          fix: "Run 'bd repair-deps' to see them, with --fix to remove them"
        },
    cycles.length === 0
      ? ok("Dependency Cycles", "none")
      : {
          name: "Dependency Cycles",
          status: "error",
          message: `${counted(cycles.length, "cycle", "cycles")} of issues that wait for one another`,
          detail: `${some(cycles.map(cycle => cycle.join(" → ")))}\nNone of them ever becomes ready.`,
          fix: "Remove one dependency of each with 'bd dep remove ID DEPENDS-ON'; 'bd dep cycles' shows them"
        }
  ]
}

/** Whether a publish would put something right (`moved`: lines have left the file), and nothing stands in its way. */
export const wantsPublish = (checks: ReadonlyArray<Check>, moved: boolean): boolean =>
  (moved || checks.some(({ fix, status }) => status !== "ok" && fix === publishing)) &&
  checks.every(
    ({ name, status }) => status !== "error" || !["Database", "Issue File", "Lock", "Permissions"].includes(name)
  )

/** Looks at all of it. Never fails. */
export const examine = (place: Place): Effect.Effect<ReadonlyArray<Check>> =>
  Effect.gen(function* () {
    const store = yield* StoreInspection.inspect(place.store)
    const file = yield* readFile(place)
    const rows = store._tag === "Store" ? store.rows : []
    const target = file._tag === "Unusable" ? join(place.directory, place.issueFile) : file.path
    const lockPath = join(dirname(target), `${basename(target)}.lock`)
    return [
      permissions(place),
      StoreChecks.database(place.store, store),
      ...StoreChecks.schema(store),
      otherFiles(place),
      issueFile(place.issueFile, file, rows),
      ...doubled(file),
      ...inStep(file, store),
      ...(store._tag === "Store" ? [StoreChecks.unpublished(rows)] : []),
      ...leftovers(place),
      lock(lockPath, yield* LockHolder.look(lockPath)),
      ...dependencies(issuesOf(file, rows))
    ]
  }).pipe(Effect.withSpan("Examination.examine"))
