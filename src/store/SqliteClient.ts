/**
 * A `SqlClient` over better-sqlite3: one connection, behind a semaphore.
 *
 * `@effect/sql-sqlite-node` is this and more, but brings the better-sqlite3 that it names itself. A second SQLite in one
 * process drops the locks of the first (`IssueLock`), and version 12 aborts on Node 24.19 and later.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type * as Connection from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

/** How many prepared statements are kept. Lists of values make texts of many lengths. */
const capacity = 200

const failure = (cause: unknown): SqlError =>
  new SqlError({ cause, message: cause instanceof Error ? cause.message : String(cause) })

const connectionTo = (database: Database.Database): Connection.Connection => {
  const prepared = new Map<string, Database.Statement>()
  const prepare = (text: string): Database.Statement => {
    const known = prepared.get(text)
    if (known !== undefined) return known
    if (prepared.size >= capacity) prepared.clear()
    const statement = database.prepare(text)
    prepared.set(text, statement)
    return statement
  }
  const attempt = <A>(body: () => A): Effect.Effect<A, SqlError> => Effect.try({ try: body, catch: failure })

  const rowsOf = (statement: Database.Statement, values: ReadonlyArray<unknown>): ReadonlyArray<object> => {
    if (statement.reader) return statement.all(...values) as ReadonlyArray<object>
    statement.run(...values)
    return []
  }
  type Transform = (<A extends object>(rows: ReadonlyArray<A>) => ReadonlyArray<A>) | undefined
  const transformed = (rows: ReadonlyArray<object>, transform: Transform) => transform?.(rows) ?? rows

  return {
    execute: (text, values, transform) => attempt(() => transformed(rowsOf(prepare(text), values), transform)),
    executeUnprepared: (text, values, transform) =>
      attempt(() => transformed(rowsOf(database.prepare(text), values), transform)),
    executeRaw: (text, values) =>
      attempt(() => {
        const statement = prepare(text)
        return statement.reader ? statement.all(...values) : statement.run(...values)
      }),
    executeValues: (text, values) =>
      attempt(() => {
        const statement = database.prepare(text)
        if (statement.reader) return statement.raw(true).all(...values) as ReadonlyArray<ReadonlyArray<unknown>>
        statement.run(...values)
        return []
      }),
    executeStream: () => Effect.dieMessage("rows are not streamed")
  }
}

/** Opens the database, until the scope closes. */
export const make = (options: {
  readonly path: string
  readonly readonly: boolean
}): Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const database = yield* Effect.acquireRelease(
      Effect.try({ try: () => new Database(options.path, { readonly: options.readonly }), catch: failure }),
      database => Effect.sync(() => database.close())
    )
    const connection = connectionTo(database)
    const turn = yield* Effect.makeSemaphore(1)
    const reserved = Effect.uninterruptibleMask(restore =>
      restore(turn.take(1)).pipe(
        Effect.zipRight(Effect.flatMap(Effect.scope, scope => Scope.addFinalizer(scope, turn.release(1)))),
        Effect.as(connection)
      )
    )
    return yield* SqlClient.make({
      acquirer: turn.withPermits(1)(Effect.succeed(connection)),
      transactionAcquirer: reserved,
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]]
    })
  }).pipe(Effect.provide(Reactivity.layer))
