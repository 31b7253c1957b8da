/**
 * The database file of the store: its schema and how that came about, how it is opened, and which files are refused.
 */
import { existsSync } from "node:fs"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { type Migration, StoreError } from "./IssueStore.ts"
import initial from "./migrations/0001_initial.ts"
import readinessIndex from "./migrations/0002_readiness_index.ts"
import * as Sqlite from "./Sqlite.ts"

/** "bead" in ASCII: how a store of ours is told from any other database. */
const applicationId = 0x62656164

/** In their order; the schema's version is their number. */
export const migrations: ReadonlyArray<Migration & { readonly statements: ReadonlyArray<string> }> = [
  {
    name: "0001_initial",
    description: "issues as lines, dirty marks, line versions, the audit trail",
    statements: initial
  },
  {
    name: "0002_readiness_index",
    description: "readiness from one index",
    statements: readinessIndex
  }
]

/** The schema that this program knows. */
export const version = migrations.length

/** The schema's version; refuses a database that is not ours or is newer. Reads only. */
const inspect = ({ path, run, sql }: Sqlite.Sqlite) =>
  Effect.gen(function* () {
    const [found] = yield* run(
      sql<{ version: number; owner: number; tables: number }>`select
        (select user_version from pragma_user_version) as version,
        (select application_id from pragma_application_id) as owner,
        (select count(*) from sqlite_schema) as tables`
    )
    const { owner, tables, version } = found ?? { owner: 0, tables: 0, version: 0 }
    if (owner !== applicationId && (owner !== 0 || version !== 0 || tables > 0)) {
      return yield* new StoreError({
        path,
        reason: "foreign",
        detail: `it was not made by this program; move ${Sqlite.filesOf(path)} aside, and the store is made anew from the issue file`
      })
    }
    if (version > migrations.length) {
      return yield* new StoreError({
        path,
        reason: "newer",
        detail: `its schema is version ${version}, this program knows ${migrations.length}; use the newer bd`
      })
    }
    return version
  })

/** Fails for a database that is not ours or is newer. Leaves it, and its log, as they are. */
export const refuseForeign = (path: string, busyTimeout: Duration.DurationInput): Effect.Effect<void, StoreError> =>
  Sqlite.open({ path, busyTimeout, readonly: existsSync(`${path}-wal`) }).pipe(
    Effect.flatMap(inspect),
    Effect.scoped,
    Effect.asVoid
  )

const migrate = (db: Sqlite.Sqlite) =>
  Effect.gen(function* () {
    const { run, sql } = db
    yield* db.transaction(
      Effect.gen(function* () {
        // looked at once more: another process may have been first
        const version = yield* inspect(db)
        const missing = migrations.slice(version).flatMap(({ statements }) => statements)
        for (const statement of missing) yield* run(sql.unsafe(statement))
        yield* run(sql.unsafe(`pragma application_id = ${applicationId}`))
        yield* run(sql.unsafe(`pragma user_version = ${migrations.length}`))
      })
    )
  })

/** Options of the store. */
export interface Options {
  /** The database file; `:memory:` for none. */
  readonly path: string
  /** How long a statement waits for another process, default 30 s. */
  readonly busyTimeout?: Duration.DurationInput
}

const opened = (options: Options) =>
  Effect.gen(function* () {
    const busyTimeout = options.busyTimeout ?? Duration.seconds(30)
    const db = yield* Sqlite.open({ path: options.path, busyTimeout })
    const { run, sql } = db
    const version = yield* inspect(db)
    if (options.path !== ":memory:") {
      yield* run(sql`pragma journal_mode = wal`)
      yield* run(sql`pragma synchronous = full`)
    }
    yield* run(sql`pragma foreign_keys = on`)
    if (version < migrations.length) yield* migrate(db)
    return db
  })

/**
 * Closes a database that is refused. A writer that is the last to close one would move its log into it, so until then somebody
 * is there who only reads, if a reader can make anything of that log.
 */
const closeRefused = (path: string, close: Effect.Effect<void>): Effect.Effect<void> =>
  Sqlite.open({ path, busyTimeout: 0, readonly: true }).pipe(
    Effect.flatMap(({ run, sql }) => run(sql`select count(*) from sqlite_schema`)),
    Effect.ignore,
    Effect.zipRight(close),
    Effect.scoped
  )

/**
 * The database, with our schema, until the scope closes. A newer or a foreign one is refused, stays as it is, and is
 * closed at once: somebody may want to take it over.
 */
export const open = (options: Options): Effect.Effect<Sqlite.Sqlite, StoreError, Scope.Scope> =>
  Effect.uninterruptibleMask(restore =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      // one without a log gets an empty one, which goes as the writer closes
      const hasLog = existsSync(`${options.path}-wal`)
      const db = yield* restore(Scope.extend(opened(options), scope)).pipe(
        Effect.onError(cause => {
          const close = Scope.close(scope, Exit.failCause(cause))
          return hasLog ? closeRefused(options.path, close) : close
        })
      )
      yield* Effect.addFinalizer(exit => Scope.close(scope, exit))
      return db
    })
  )
