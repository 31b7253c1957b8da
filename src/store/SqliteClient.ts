/**
 * The `SqlClient` of SQLite, by a module of our own: the build puts the code of `@effect/sql-sqlite-node` in its place.
 *
 * That package asks for better-sqlite3 12. Beside the 13 that this one brings on Node 22 and later it would be a second
 * SQLite in the process, and closing a database in one drops the locks of the other (`IssueLock`); and 12 aborts on
 * Node 24.19 and later. Built in, it uses the better-sqlite3 that the package brings.
 */
export { make } from "@effect/sql-sqlite-node/SqliteClient"
