/**
 * What lies where a store should be, looked at without changing it: for `doctor`, which works where no store can be
 * opened. Nothing is migrated, taken over or repaired, and a log is left as it is.
 */
import { existsSync } from "node:fs"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as ClassicDatabase from "./ClassicDatabase.ts"
import type { StoreError } from "./IssueStore.ts"
import { storeError, untilFree } from "./Sqlite.ts"
import * as SqliteSchema from "./SqliteSchema.ts"

export interface InspectedRow {
  readonly id: string
  readonly line: string
  /** Changed, and not yet in the issue file. */
  readonly dirty: boolean
}

export type StoreInspection =
  | { readonly _tag: "Missing" }
  /** A database of the classic tool: the next command takes it over. */
  | { readonly _tag: "Classic" }
  | { readonly _tag: "Unusable"; readonly error: StoreError }
  | {
      readonly _tag: "Store"
      readonly version: number
      /** The version that this program makes of it. */
      readonly current: number
      /** What SQLite's own check finds; none if it is sound. */
      readonly problems: ReadonlyArray<string>
      readonly rows: ReadonlyArray<InspectedRow>
      /** SHA-256 of the bytes of the issue file that it saw or wrote last. */
      readonly fileHash: string | undefined
    }

/** Whoever makes a store, opens it after a crash or is the last to close it has it for himself for a moment. */
const patience = "2 seconds"

/** A reader would leave a log where there is none, a writer would empty the one there is. */
const open = (path: string): Database.Database => {
  const database = new Database(path, { readonly: existsSync(`${path}-wal`), timeout: 0, fileMustExist: true })
  database.pragma("query_only = on")
  return database
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const look = (path: string): StoreInspection => {
  const database = open(path)
  try {
    const version = Number(database.pragma("user_version", { simple: true }))
    const found = database.prepare("pragma integrity_check(20)").pluck().all().map(text)
    const problems = found.filter(line => line !== "ok")
    const rows =
      version === 0 || problems.length > 0
        ? []
        : database
            .prepare(
              `select issues.id, issues.line, dirty_issues.issue_id is not null as dirty from issues
               left join dirty_issues on dirty_issues.issue_id = issues.id`
            )
            .all()
            .flatMap((row): ReadonlyArray<InspectedRow> => {
              if (typeof row !== "object" || row === null) return []
              const { dirty, id, line } = row as {
                readonly id?: unknown
                readonly line?: unknown
                readonly dirty?: unknown
              }
              return [{ id: text(id), line: text(line), dirty: dirty === 1 }]
            })
    const fileHash =
      version === 0 || problems.length > 0 ? undefined : database.prepare("select hash from file_record").pluck().get()
    return {
      _tag: "Store",
      version,
      current: SqliteSchema.version,
      problems,
      rows,
      fileHash: typeof fileHash === "string" ? fileHash : undefined
    }
  } finally {
    database.close()
  }
}

/** Looks at the store of this path. Never fails: what is in the way is what was found. */
export const inspect = (path: string): Effect.Effect<StoreInspection> =>
  Effect.gen(function* () {
    if (!existsSync(path)) return { _tag: "Missing" } as const
    if (yield* ClassicDatabase.isAt(path)) return { _tag: "Classic" } as const
    yield* SqliteSchema.refuseForeign(path, patience)
    const found = Effect.try({ try: () => look(path), catch: storeError(path) })
    return yield* Effect.retry(found, untilFree(patience))
  }).pipe(Effect.catchAll(error => Effect.succeed({ _tag: "Unusable", error } as const)))
