/**
 * Whether a process holds the lock right now, and which: for people who wait. A look, and no more.
 *
 * SQLite tells that it is held; who it is stands in `/proc`, where there is one.
 */
import { readFileSync, statSync } from "node:fs"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"

export interface LockHolder {
  readonly pid: number
  readonly command: string
  /** Seconds since the process began; the lock may be younger. */
  readonly runningFor: number | undefined
}

export type LockState =
  | { readonly _tag: "Free" }
  | { readonly _tag: "Held"; readonly holders: ReadonlyArray<LockHolder> }
  | { readonly _tag: "Unusable"; readonly reason: string }

const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    // gone, or not ours to see
    return undefined
  }
}

/** Clock ticks a second, as Linux reports them to every program. */
const ticks = 100

const runningFor = (pid: number): number | undefined =>
  attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // the name, in brackets, may hold anything: what comes behind the last one is fields 3 and on
    const began = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19])
    const seconds = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) - began / ticks
    return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : undefined
  })

const holdersOf = (path: string): ReadonlyArray<LockHolder> => {
  const inode = attempt(() => statSync(path).ino)
  const lines = attempt(() => readFileSync("/proc/locks", "utf8"))?.split("\n") ?? []
  const pids = lines.flatMap(line => {
    const match = /\bWRITE\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)\s/.exec(line)
    return match !== null && Number(match[2]) === inode && Number(match[1]) > 0 ? [Number(match[1])] : []
  })
  return [...new Set(pids)].map(pid => ({
    pid,
    command:
      attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"))
        ?.replaceAll("\0", " ")
        .trim() ?? "",
    runningFor: runningFor(pid)
  }))
}

/** The state of the lock database at this path, which need not exist: then the lock is free. */
export const look = (path: string): Effect.Effect<LockState> =>
  Effect.sync((): LockState => {
    const stat = attempt(() => statSync(path))
    if (stat === undefined) return { _tag: "Free" }
    if (!stat.isFile()) return { _tag: "Unusable", reason: "it is not a regular file" }
    try {
      const database = new Database(path, { readonly: true, timeout: 0, fileMustExist: true })
      try {
        database.prepare("select count(*) from sqlite_schema").get()
        return { _tag: "Free" }
      } finally {
        database.close()
      }
    } catch (cause) {
      if (cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY")) {
        return { _tag: "Held", holders: holdersOf(path) }
      }
      return { _tag: "Unusable", reason: cause instanceof Error ? cause.message : String(cause) }
    }
  })
