/** What `doctor` checks of the store by itself, given what an inspection found. */
import { basename, dirname } from "node:path"
import type * as StoreInspection from "../store/StoreInspection.ts"
import { type Check, counted, ok, publishing, some } from "./Check.ts"

const moveAside = (store: string): string =>
  `Move ${basename(store)} aside, with its -wal and -shm if there are any, and keep them: changes that were not published are only there. The next command makes a new store from the issue file.`

export const database = (store: string, found: StoreInspection.StoreInspection): Check => {
  const name = "Database"
  switch (found._tag) {
    case "Missing":
      return ok(name, `no store at ${basename(store)} yet: the next command makes it from the issue file`)
    case "Classic":
      return {
        name,
        status: "warning",
        message: `${basename(store)} was made by the classic bd, and waits to be taken over`,
        detail: `The next command takes every issue of it over and keeps it as ${basename(store)}.classic. A classic process that still uses it, its daemon say, has to end first.`,
        fix: "Run any command, for instance: bd list"
      }
    case "Unusable":
      return {
        name,
        status: "error",
        message: found.error.message,
        detail:
          found.error.reason === "newer"
            ? "A newer bd has been here. Nothing is changed by this one."
            : "The store is a cache of the issue file. Reads answer from the issue file meanwhile; nothing can be changed.",
        fix:
          found.error.reason === "newer"
            ? "Use the newer bd"
            : found.error.reason === "busy"
              ? "Try again when the other process is done"
              : found.error.reason === "readonly"
                ? `Make ${dirname(store)} writable for you`
                : moveAside(store)
      }
    case "Store":
      return found.problems.length === 0
        ? ok(name, `the store is sound: ${counted(found.rows.length, "row", "rows")}`)
        : {
            name,
            status: "error",
            message: "the store is damaged (PRAGMA integrity_check)",
            detail: some(found.problems),
            fix: moveAside(store)
          }
  }
}

export const schema = (found: StoreInspection.StoreInspection): ReadonlyArray<Check> => {
  if (found._tag !== "Store") return []
  return [
    ok(
      "Schema Compatibility",
      found.version === found.current
        ? `schema version ${found.version}`
        : `schema version ${found.version}; the next command brings it to ${found.current}`
    )
  ]
}

export const unpublished = (rows: ReadonlyArray<StoreInspection.InspectedRow>): Check => {
  const dirty = rows.filter(row => row.dirty).map(({ id }) => id)
  return dirty.length === 0
    ? ok("Unpublished Changes", "every change is in the issue file")
    : {
        name: "Unpublished Changes",
        status: "warning",
        message: `${counted(dirty.length, "changed issue is", "changed issues are")} in the store only`,
        detail: `${some(dirty)}\nThey are safe, and go into the issue file with the next change.`,
        fix: publishing
      }
}
