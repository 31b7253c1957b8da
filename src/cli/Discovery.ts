/**
 * Finds the `.beads` to work on and the names of what lies in it (bd-contract.md "Files").
 *
 * Looks, and writes nothing. Names in `metadata.json` are foreign input: only plain file names are taken (G33).
 */
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { WorkspaceInvalid, WorkspaceNotFound } from "./CliError.ts"
import { Environment, variable } from "./Environment.ts"
import { Settings } from "./Settings.ts"
import * as SmallFile from "./SmallFile.ts"

/** A `.beads` directory, an absolute path, and what in it matters. None of it need exist yet. */
export interface Location {
  readonly directory: string
  /** Path of the store. */
  readonly database: string
  /** Name of the issue file in the directory. */
  readonly issueFile: string
}

const defaultDatabase = "beads.db"
const issueFileNames = ["issues.jsonl", "beads.jsonl"] as const

/** What shows that a directory named `.beads` is a project's, and not only a place for settings. */
const marks = ["metadata.json", defaultDatabase, ...issueFileNames]

const isPlainName = (name: unknown, extension: string): name is string =>
  typeof name === "string" &&
  name.endsWith(extension) &&
  name.length > extension.length &&
  !name.startsWith(".") &&
  !/[/\\\u0000-\u001f]/.test(name)

/** What metadata.json names; absent without one. */
const readMetadata = Effect.fnUntraced(function* (directory: string) {
  const path = yield* Path.Path
  const file = path.join(directory, "metadata.json")
  const invalid = (detail: string) =>
    new WorkspaceInvalid({
      path: file,
      detail,
      hint: 'it should be {"database":"beads.db","jsonl_export":"issues.jsonl"}'
    })
  const bytes = yield* Effect.mapError(SmallFile.read(file), ({ detail }) => invalid(detail))
  if (bytes === undefined) return {}
  const text = SmallFile.text(bytes)
  const value = yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: () => invalid("it is not valid JSON")
  })
  if (typeof value !== "object" || value === null || Array.isArray(value)) return yield* invalid("it is no JSON object")
  const { database, jsonl_export: issueFile } = value as {
    readonly database?: unknown
    readonly jsonl_export?: unknown
  }
  if (database !== undefined && !isPlainName(database, ".db")) {
    return yield* invalid('"database" is not a plain file name that ends in .db')
  }
  if (issueFile !== undefined && !isPlainName(issueFile, ".jsonl")) {
    return yield* invalid('"jsonl_export" is not a plain file name that ends in .jsonl')
  }
  return { database, issueFile }
})

/** Whether a file exists, and whether it holds any line. Only the start is read; white space alone is no line. */
const look = Effect.fnUntraced(function* (file: string) {
  const found = yield* SmallFile.stat(file)
  if (found === undefined) return "missing"
  // what is no file is refused where it would be used; a pipe or a device must not be read (G33)
  if (found.size > 4096 || !found.isFile()) return "lines"
  const text = yield* SmallFile.read(file).pipe(
    Effect.map(SmallFile.text),
    Effect.orElseSucceed(() => "unreadable")
  )
  return text.trim() === "" ? "empty" : "lines"
})

/**
 * The issue file of a `.beads`: the one that metadata.json names, else `issues.jsonl`, else `beads.jsonl`; if that is
 * missing, whichever exists. Two that both hold lines are refused: either could be the one that git carries.
 */
const findIssueFile = Effect.fnUntraced(function* (directory: string, named: string | undefined) {
  const path = yield* Path.Path
  const names = [...new Set([...(named === undefined ? [] : [named]), ...issueFileNames])]
  const found = yield* Effect.forEach(names, name => {
    return Effect.map(look(path.join(directory, name)), state => ({ name, state }))
  })
  const filled = found.filter(({ state }) => state === "lines")
  if (filled.length > 1) {
    return yield* new WorkspaceInvalid({
      path: directory,
      detail: `${filled.map(({ name }) => name).join(" and ")} both hold issues, and only one can be the issue file`,
      hint: "bd import -i takes issues over from a file outside .beads: move one of the two away, then import it"
    })
  }
  const chosen = filled[0] ?? found.find(({ state }) => state !== "missing")
  return chosen?.name ?? named ?? issueFileNames[0]
})

/** What a `.beads` directory holds, whether it is set up or not. */
export const inDirectory = Effect.fn("Discovery.inDirectory")(function* (directory: string, database?: string) {
  const path = yield* Path.Path
  const metadata = yield* readMetadata(directory)
  const location: Location = {
    directory,
    database: database ?? path.join(directory, metadata.database ?? defaultDatabase),
    issueFile: yield* findIssueFile(directory, metadata.issueFile)
  }
  return location
})

const isDirectory = (path: string) => Effect.map(SmallFile.stat(path), found => found?.isDirectory() === true)

/** The `.beads` that flag or environment name; none if they do not. */
const named = Effect.fnUntraced(function* () {
  const path = yield* Path.Path
  const settings = yield* Settings
  if (settings.database !== undefined) {
    const given = path.resolve(settings.database)
    if (yield* isDirectory(given)) return { directory: given }
    // the issue file, say: it must not be opened as a store, nor moved aside because it is none
    if (!given.endsWith(".db")) return yield* new WorkspaceNotFound({ directory: given, named: true })
    return { directory: path.dirname(given), database: given }
  }
  const directory = variable(yield* Environment, "BEADS_DIR")
  return directory === undefined ? undefined : { directory: path.resolve(directory) }
})

/** Whether a directory is a project's: one of these files is in it. */
const isProject = Effect.fnUntraced(function* (directory: string, files: ReadonlyArray<string> = marks) {
  const path = yield* Path.Path
  for (const file of files) {
    if ((yield* SmallFile.stat(path.resolve(directory, file))) !== undefined) return true
  }
  return false
})

/** The nearest `.beads` of a project, in `start` or above it. */
const nearest = Effect.fnUntraced(function* (start: string) {
  const path = yield* Path.Path
  for (let at = start; ; at = path.dirname(at)) {
    const directory = path.basename(at) === ".beads" ? at : path.join(at, ".beads")
    if (yield* isProject(directory)) return directory
    if (path.dirname(at) === at) return undefined
  }
})

/** A store may be missing, it is made anew; one of another name than the project's would become a second one. */
const checkStore = Effect.fnUntraced(function* (location: Location) {
  const path = yield* Path.Path
  const { database } = yield* inDirectory(location.directory)
  if (location.database === database || (yield* isProject(location.directory, [location.database]))) return location
  return yield* new WorkspaceInvalid({
    path: location.database,
    detail: "there is no such store",
    hint: `the store of this .beads is ${path.basename(database)}`
  })
})

/** A `.beads` directory, whatever state it is in; and the store, if one was named. */
interface Found {
  readonly directory: string
  readonly database?: string
}

/** The `.beads` that is meant: the one that was `given`, else the nearest from `start` upwards. */
const locate = Effect.fnUntraced(function* (
  start: string,
  given: Found | undefined
): Effect.fn.Return<Found, WorkspaceNotFound, Path.Path> {
  if (given !== undefined) {
    // a name mistyped must not become a second tracker
    if (!(yield* isProject(given.directory, [...marks, given.database ?? defaultDatabase]))) {
      return yield* new WorkspaceNotFound({ directory: given.directory, named: true })
    }
    return given
  }
  const directory = yield* nearest(start)
  return yield* directory === undefined
    ? new WorkspaceNotFound({ directory: start, named: false })
    : Effect.succeed({ directory })
})

/** Where to work: `--db`, `BEADS_DB`, `BEADS_DIR`, else the nearest `.beads` from `start` upwards. */
export const find = Effect.fn("Discovery.find")(function* (start: string) {
  const { database, directory } = yield* locate(start, yield* named())
  const location = yield* inDirectory(directory, database)
  return yield* database === undefined ? Effect.succeed(location) : checkStore(location)
})

/**
 * For `doctor`: where to look, with what is wrong there. `justThere`: whatever flag and environment name. Where metadata.json cannot be read, or two files hold issues,
 * the usual names are looked at.
 */
export const survey = Effect.fn("Discovery.survey")(function* (
  start: string,
  options: { readonly justThere: boolean }
) {
  const path = yield* Path.Path
  const { database, directory } = yield* locate(start, options.justThere ? undefined : yield* named())
  const metadata = yield* Effect.either(readMetadata(directory))
  const names = Either.getOrElse(metadata, () => ({ database: undefined, issueFile: undefined }))
  const issueFile = yield* Effect.either(findIssueFile(directory, names.issueFile))
  const location: Location = {
    directory,
    database: database ?? path.join(directory, names.database ?? defaultDatabase),
    issueFile: Either.getOrElse(issueFile, () => names.issueFile ?? issueFileNames[0])
  }
  return {
    location,
    metadata: Either.map(metadata, () => undefined),
    issueFile: Either.map(issueFile, () => undefined)
  }
})

/** Where `init` sets up: what flag or environment name, else `.beads` in `start`. */
export const toInit = Effect.fn("Discovery.toInit")(function* (start: string) {
  const path = yield* Path.Path
  const given = yield* named()
  return yield* given === undefined
    ? inDirectory(path.basename(start) === ".beads" ? start : path.join(start, ".beads"))
    : inDirectory(given.directory, given.database)
})
