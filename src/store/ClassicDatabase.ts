/**
 * Reads the database of the classic `bd`, of any version, and never changes it.
 *
 * `hold` keeps classic processes out and takes an image of the database as it stands with its log; `read` reads the
 * image in memory. Rows become members of lines here, with time stamps as RFC 3339; what becomes of them is the
 * caller's business. Columns that this version does not know travel along under their own name (G18).
 */
import { existsSync, linkSync, realpathSync, unlinkSync } from "node:fs"
import Database from "better-sqlite3"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Instant from "../domain/Instant.ts"
import * as IssueRecord from "../domain/IssueRecord.ts"
import * as JsonText from "../domain/JsonText.ts"
import { type AuditEvent, StoreError } from "./IssueStore.ts"
import { storeError } from "./Sqlite.ts"

/** One issue of the database. */
export interface ClassicIssue {
  readonly id: string
  /** The value of each column as JSON text, by the key of its line; `undefined`: there is such a column, and it is empty. */
  readonly fields: ReadonlyMap<string, string | undefined>
  readonly labels: ReadonlyArray<string>
  /** Elements of the arrays of a line, as JSON text. */
  readonly dependencies: ReadonlyArray<string>
  readonly comments: ReadonlyArray<string>
  /** Changed since it was exported last. */
  readonly isDirty: boolean
}

export interface Classic {
  readonly issues: ReadonlyArray<ClassicIssue>
  /** The last number given to a child, by parent. */
  readonly childCounters: ReadonlyMap<string, number>
  readonly prefix: string | undefined
  /** SHA-256 of issue files that it exported or imported last: since then only dirty rows have changed. */
  readonly knownFiles: ReadonlySet<string>
  readonly events: ReadonlyArray<AuditEvent>
}

/** A database that no classic process uses, as long as the scope lasts. */
export interface Held {
  /** Database and log as one, with what was committed into the log. */
  readonly image: Buffer
}

/** Longer than any classic command takes; what holds on longer is its daemon. */
const patience = Duration.seconds(2)

/** Every classic database has these; later versions have more. */
const tables = ["issues", "dependencies", "labels", "config"]

const isClassic = (database: Database.Database): boolean => {
  const count = database.prepare("select count(*) from sqlite_schema where type = 'table' and name = ?").pluck()
  return database.pragma("application_id", { simple: true }) === 0 && tables.every(name => count.get(name) === 1)
}

/** Runs it, and waits a little while another process is in the way. */
const whileBusy = <A>(path: string, run: () => A, busyTimeout: Duration.DurationInput): Effect.Effect<A, StoreError> =>
  Effect.try({ try: run, catch: storeError(path) }).pipe(
    Effect.retry(
      Schedule.spaced("10 millis").pipe(
        Schedule.jittered,
        Schedule.upTo(Duration.min(busyTimeout, patience)),
        Schedule.whileInput((error: StoreError) => error.reason === "busy")
      )
    ),
    Effect.catchIf(
      ({ reason }) => reason === "busy",
      cause =>
        new StoreError({
          path,
          reason: "classic",
          detail:
            "it belongs to the classic bd, and a classic process (its daemon?) is using it; end that one, then try again",
          cause
        })
    )
  )

const quietly = (run: () => void): void => {
  try {
    run()
  } catch {
    // best effort: what is not there need not go
  }
}

/**
 * Throws SQLITE_BUSY while any process is connected. An idle daemon shows only to who wants the file for himself, and a
 * writer that closes last moves the log into the database. Under another name the lock is the same and there is no log.
 */
const assertAlone = (path: string): void => {
  const alias = `${path}.alias`
  const remove = () => {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) quietly(() => unlinkSync(alias + suffix))
  }
  remove()
  try {
    linkSync(path, alias)
  } catch {
    return // no links here: then the write lock has to do
  }
  try {
    const database = new Database(alias, { timeout: 0 })
    try {
      database.pragma("locking_mode = exclusive")
      database.exec("begin exclusive")
      database.exec("rollback")
    } finally {
      database.close()
    }
  } finally {
    remove()
  }
}

/** Whether there is a classic database at the path. Leaves database and log as they are. */
export const isAt = (path: string): Effect.Effect<boolean, StoreError> =>
  whileBusy(
    path,
    () => {
      // a reader would leave a log where there was none, a writer would empty the one there is
      const database = new Database(path, { readonly: existsSync(`${path}-wal`), timeout: 0, fileMustExist: true })
      try {
        return isClassic(database)
      } finally {
        database.close()
      }
    },
    patience
  )

/**
 * Takes the database for this process, as far as its locks reach: nobody writes until the scope closes, and nobody was
 * connected when it was opened. Fails with reason `classic` if a classic process stays.
 */
export const hold = (path: string, busyTimeout: Duration.DurationInput): Effect.Effect<Held, StoreError, Scope.Scope> =>
  Effect.gen(function* () {
    yield* whileBusy(path, () => assertAlone(path), busyTimeout)
    const opened = (readonly: boolean) =>
      Effect.acquireRelease(
        Effect.try({
          try: () => new Database(path, { readonly, timeout: 0, fileMustExist: true }),
          catch: storeError(path)
        }),
        database => Effect.sync(() => database.close())
      )
    // the reader is connected first and leaves last: so the writer is never the last, who would empty the log
    const reader = yield* opened(true)
    yield* whileBusy(path, () => isClassic(reader), busyTimeout)
    const writer = yield* opened(false)
    yield* whileBusy(path, () => writer.exec("begin immediate"), busyTimeout)
    const image = yield* Effect.try({ try: () => reader.serialize(), catch: storeError(path) })
    return { image }
  })

/** Links resolved: SQLite keeps the log beside the file itself. */
export const resolve = (path: string): Effect.Effect<string, StoreError> =>
  Effect.try({ try: () => realpathSync.native(path), catch: storeError(path) })

// ---------------------------------------------------------------------------------------------------------------------
// Rows as members of lines
// ---------------------------------------------------------------------------------------------------------------------

type Value = string | number | bigint | Buffer | null
type Row = Readonly<Record<string, Value>>

/** `2025-11-23 06:29:13.758354939 +0000 UTC m=+0.01`: how Go prints a time. The name of the zone says nothing more. */
const printedByGo = /^(.*?\d)\s*([+-]\d{2}:?\d{2})?(?:\s+(?:[A-Z][A-Za-z]*|[+-]\d{2,4}))?(?:\s+m=[+-][\d.]+)?$/
const parts = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9})\d*)?\s*(?:(Z|z)|([+-]\d{2}):?(\d{2}))?$/

/**
 * A time stamp as RFC 3339. Databases hold what Go or SQLite write, or seconds since the epoch. What is RFC 3339 stays as
 * it is, and so does what is no time.
 */
export const timestamp = (value: string | number | bigint): string => {
  if (typeof value !== "string") {
    const seconds = Number(value)
    const date = new Date(Math.abs(seconds) > 1e11 ? seconds : seconds * 1000)
    return Number.isNaN(date.getTime()) ? String(value) : date.toISOString()
  }
  const text = value.trim()
  const match = parts.exec(text) ?? parts.exec(text.replace(printedByGo, "$1$2"))
  if (match === null) return value
  const [, day, time = "", fraction, , hours, minutes] = match
  const zone = hours === undefined || (/[+-]00/.test(hours) && minutes === "00") ? "Z" : `${hours}:${minutes}`
  const out = `${day}T${time.length === 5 ? `${time}:00` : time}${fraction === undefined ? "" : `.${fraction}`}${zone}`
  if (Instant.parse(out) === undefined) return value
  // as Go writes them; a text that says just the same stays
  return /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    ? text
    : out.replace(/(\.\d*?)0+(Z|[+-])/, "$1$2").replace(/\.(Z|[+-])/, "$1")
}

/** Columns whose name in the line is another. */
const renamed: ReadonlyMap<string, string> = new Map([["timeout_ns", "timeout"]])
const flags: ReadonlySet<string> = new Set(["ephemeral", "pinned", "is_template", "crystallizes", "auto_close"])
const structures: ReadonlySet<string> = new Set(["waiters", "metadata", "validations", "bonded_from", "creator"])
const isTime = (key: string): boolean => key.endsWith("_at") || key === "last_activity" || key === "defer_until"
/** Written whatever they are. */
const alwaysThere: ReadonlySet<string> = new Set([
  "title",
  "status",
  "priority",
  "issue_type",
  "created_at",
  "updated_at"
])
const knownKeys: ReadonlySet<string> = new Set(IssueRecord.keyOrder)

const plain = (value: string | number | bigint): string =>
  typeof value === "string" ? JsonText.encodeString(value) : String(value)

/** A column's value as JSON text; `undefined` if it is empty, as Go's `omitempty` has it. */
const field = (key: string, value: Value, standard: string | null): string | undefined => {
  if (value === null || value === "" || Buffer.isBuffer(value)) return undefined
  if (isTime(key)) return JsonText.encodeString(timestamp(value))
  if (alwaysThere.has(key)) return plain(value)
  if (flags.has(key)) return Number(value) === 0 ? undefined : "true"
  if (key !== "estimated_minutes" && Number(value) === 0 && typeof value !== "string") return undefined
  if (typeof value === "string" && structures.has(key) && JsonText.isValid(value)) {
    const text = JsonText.oneLine(value.trim())
    return text === "{}" || text === "[]" ? undefined : text
  }
  // what nobody set says nothing
  if (!knownKeys.has(key) && standard !== null && standard.replace(/^'(.*)'$/, "$1") === String(value)) return undefined
  return plain(value)
}

const member = (key: string, value: string | undefined): ReadonlyArray<JsonText.Member> =>
  value === undefined ? [] : [{ key, value }]

const text = (value: Value | undefined): string => (value === null || value === undefined ? "" : String(value))

const dependency = (row: Row): string =>
  JsonText.encodeObject([
    { key: "issue_id", value: JsonText.encodeString(text(row["issue_id"])) },
    { key: "depends_on_id", value: JsonText.encodeString(text(row["depends_on_id"])) },
    { key: "type", value: JsonText.encodeString(text(row["type"]) || "blocks") },
    ...member("created_at", field("created_at", row["created_at"] ?? null, null)),
    ...member("created_by", field("created_by", row["created_by"] ?? null, null)),
    ...member("metadata", field("metadata", row["metadata"] ?? null, null)),
    ...member("thread_id", field("thread_id", row["thread_id"] ?? null, null))
  ])

const comment = (row: Row): string =>
  JsonText.encodeObject([
    { key: "id", value: text(row["id"]) || "0" },
    { key: "issue_id", value: JsonText.encodeString(text(row["issue_id"])) },
    { key: "author", value: JsonText.encodeString(text(row["author"])) },
    { key: "text", value: JsonText.encodeString(text(row["text"])) },
    ...member("created_at", field("created_at", row["created_at"] ?? null, null))
  ])

const event = (row: Row): AuditEvent => ({
  issueId: text(row["issue_id"]),
  type: text(row["event_type"]),
  actor: text(row["actor"]),
  at: timestamp(text(row["created_at"])),
  ...(typeof row["old_value"] === "string" ? { oldValue: row["old_value"] } : {}),
  ...(typeof row["new_value"] === "string" ? { newValue: row["new_value"] } : {}),
  ...(typeof row["comment"] === "string" ? { comment: row["comment"] } : {})
})

/** Marked in the header as a database without a log: a database in memory has none. */
const withoutLog = (image: Buffer): Buffer => {
  const copy = Buffer.from(image)
  copy[18] = 1
  copy[19] = 1
  return copy
}

const readAll = (database: Database.Database): Classic => {
  database.defaultSafeIntegers(true)
  const columns = (table: string) =>
    database.prepare("select name, dflt_value from pragma_table_info(?)").all(table) as ReadonlyArray<{
      readonly name: string
      readonly dflt_value: string | null
    }>
  /** The rows of a table; none if this version of the classic tool has no such table. */
  const rows = (table: string, order: string): ReadonlyArray<Row> =>
    columns(table).length === 0
      ? []
      : (database.prepare(`select * from "${table}" order by ${order}`).all() as ReadonlyArray<Row>)
  const byIssue = <A>(found: ReadonlyArray<Row>, make: (row: Row) => A) => {
    const out = new Map<string, Array<A>>()
    for (const row of found) {
      const id = text(row["issue_id"])
      const known = out.get(id)
      if (known === undefined) out.set(id, [make(row)])
      else known.push(make(row))
    }
    return (id: string): ReadonlyArray<A> => out.get(id) ?? []
  }

  const issueColumns = columns("issues").filter(({ name }) => name !== "id" && !IssueRecord.localKeys.has(name))
  const labels = byIssue(rows("labels", "issue_id, label"), row => text(row["label"]))
  const dependencies = byIssue(rows("dependencies", "issue_id, created_at"), dependency)
  const comments = byIssue(rows("comments", "issue_id, id"), comment)
  const dirty = new Set(rows("dirty_issues", "issue_id").map(row => text(row["issue_id"])))
  const settings = (table: string) =>
    new Map(rows(table, "key").map((row): readonly [string, string] => [text(row["key"]), text(row["value"])]))
  const metadata = settings("metadata")
  return {
    issues: rows("issues", "id").map(row => ({
      id: text(row["id"]),
      fields: new Map(
        issueColumns.map(({ dflt_value, name }): readonly [string, string | undefined] => {
          const key = renamed.get(name) ?? name
          return [key, field(key, row[name] ?? null, dflt_value)]
        })
      ),
      labels: labels(text(row["id"])),
      dependencies: dependencies(text(row["id"])),
      comments: comments(text(row["id"])),
      isDirty: dirty.has(text(row["id"]))
    })),
    childCounters: new Map(
      rows("child_counters", "parent_id").map(row => [text(row["parent_id"]), Number(row["last_child"] ?? 0)])
    ),
    prefix: settings("config").get("issue_prefix")?.replace(/-+$/, "") || undefined,
    knownFiles: new Set(
      ["jsonl_file_hash", "last_import_hash", "jsonl_content_hash"].flatMap(key => metadata.get(key) ?? [])
    ),
    events: rows("events", "id").map(event)
  }
}

/** All that the image of a classic database holds. */
export const read = (path: string, { image }: Held): Effect.Effect<Classic, StoreError> =>
  Effect.try({
    try: () => {
      const database = new Database(withoutLog(image))
      try {
        return readAll(database)
      } finally {
        database.close()
      }
    },
    catch: storeError(path)
  })
