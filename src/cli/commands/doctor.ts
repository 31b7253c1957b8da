import { createHash } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Quarantine from "../../issue-file/Quarantine.ts"
import type { Check } from "../../tracker/Check.ts"
import * as Examination from "../../tracker/Examination.ts"
import { Tracker } from "../../tracker/Tracker.ts"
import * as Workspace from "../../tracker/Workspace.ts"
import * as BeadsGitignore from "../BeadsGitignore.ts"
import { AlreadyTold, FileUnusable, InvalidFlag, UsageError, type WorkspaceInvalid } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { doctor } from "../CommandTable.ts"
import * as Discovery from "../Discovery.ts"
import * as Escape from "../Escape.ts"
import type { CommandError } from "../ExitCode.ts"
import * as GitChecks from "../GitChecks.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"
import * as Services from "../Services.ts"
import { Settings } from "../Settings.ts"
import * as SmallFile from "../SmallFile.ts"
import * as SurroundingsChecks from "../SurroundingsChecks.ts"
import * as Version from "../Version.ts"
import { WorkingDirectory } from "../WorkingDirectory.ts"

/** What a repair did, or why it could not. */
interface Repair {
  readonly name: string
  readonly done: boolean
  readonly message: string
}

const invalid = (name: string, fix: string, error: WorkspaceInvalid): Check => ({
  name,
  status: "error",
  message: error.message,
  detail: "Until then no command works here but this one.",
  fix: error.hint ?? fix
})

const survey = Effect.fnUntraced(function* (start: string, justThere: boolean) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { issueFile, location, metadata } = yield* Discovery.survey(start, { justThere })
  const hasMetadata = yield* Effect.orElseSucceed(
    fs.exists(path.join(location.directory, "metadata.json")),
    () => false
  )
  const checks: ReadonlyArray<Check> = [
    { name: "Installation", status: "ok", message: `.beads found: ${location.directory}` },
    Either.match(metadata, {
      onLeft: error => invalid("Metadata", "Run 'bd doctor --fix' to write it anew", error),
      onRight: () => ({
        name: "Metadata",
        status: "ok",
        message: hasMetadata ? "metadata.json is valid" : "no metadata.json: the usual names are used"
      })
    }),
    Either.match(issueFile, {
      onLeft: error => invalid("JSONL Files", "Move one of the two away, then import it", error),
      onRight: () => ({ name: "JSONL Files", status: "ok", message: `the issue file is ${location.issueFile}` })
    }),
    ...(yield* Examination.examine({
      directory: location.directory,
      issueFile: location.issueFile,
      store: location.database
    })),
    ...(yield* GitChecks.examine(location)),
    ...(yield* SurroundingsChecks.examine(location))
  ]
  return { location, checks, usable: Either.isRight(metadata) && Either.isRight(issueFile) }
})

type Surveyed = Effect.Effect.Success<ReturnType<typeof survey>>

// ---------------------------------------------------------------------------------------------------------------------
// Repairs
// ---------------------------------------------------------------------------------------------------------------------

/** A copy in the quarantine, named by its content, before a small file is changed; with its bytes. */
const backUp = Effect.fnUntraced(function* (location: Discovery.Location, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const bytes = yield* SmallFile.readOwn(path.join(location.directory, name))
  if (bytes === undefined) return { text: "", kept: undefined }
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 12)
  const directory = path.join(location.directory, "quarantine")
  // a link might lead anywhere (G30)
  if (yield* Effect.isSuccess(fs.readLink(directory))) {
    return yield* new FileUnusable({ path: directory, detail: "it is a link, and not followed" })
  }
  yield* fs.makeDirectory(directory, { recursive: true })
  const kept = path.join(directory, `${name.replace(/^\./, "")}.${hash}.backup`)
  yield* SmallFile.replace(kept, bytes)
  return { text: SmallFile.text(bytes), kept }
})

const backedUp = (kept: string | undefined): string => (kept === undefined ? "" : `; the old one is ${kept}`)

const repairMetadata = Effect.fnUntraced(function* (location: Discovery.Location) {
  const path = yield* Path.Path
  const { kept } = yield* backUp(location, "metadata.json")
  const text = JSON.stringify({ database: path.basename(location.database), jsonl_export: location.issueFile })
  yield* SmallFile.replace(path.join(location.directory, "metadata.json"), `${text}\n`)
  return `wrote metadata.json anew, for ${location.issueFile}${backedUp(kept)}`
})

const repairGitignore = Effect.fnUntraced(function* (location: Discovery.Location) {
  const path = yield* Path.Path
  const file = path.join(location.directory, ".gitignore")
  const { kept, text } = yield* backUp(location, ".gitignore")
  const lacking = BeadsGitignore.missing(text)
  yield* SmallFile.replace(file, BeadsGitignore.complete(text))
  return `added ${lacking.join(", ")} to .beads/.gitignore${backedUp(kept)}`
})

const removeTempFiles = Effect.fnUntraced(function* (location: Discovery.Location) {
  const fs = yield* FileSystem.FileSystem
  const stale = Examination.staleTempFiles(location.directory)
  yield* Effect.forEach(stale, file => fs.remove(file), { discard: true })
  return `removed ${stale.length} temporary files`
})

const quarantine = Effect.fnUntraced(function* (location: Discovery.Location) {
  const path = yield* Path.Path
  const { lockTimeout } = yield* Settings
  const moved = yield* Quarantine.run(path.join(location.directory, "quarantine")).pipe(
    Effect.provide(
      Workspace.fileAndLock({
        directory: location.directory,
        issueFile: location.issueFile,
        ...(lockTimeout === undefined ? {} : { lockTimeout })
      })
    )
  )
  return Option.match(moved, {
    onNone: () => "no line had to be moved",
    onSome: ({ backup, keptIn, lines }) =>
      `moved ${Plural.of(lines.length, "line")} (${lines.map(({ number }) => number).join(", ")}) to ${keptIn}; the whole file as it was is ${backup}`
  })
})

/** What the marks and leftovers wait for. */
const publish = (location: Discovery.Location) =>
  Effect.gen(function* () {
    const tracker = yield* Tracker
    const report = yield* tracker.flushNow({ full: false })
    return report.mode === "unchanged"
      ? "nothing had to be published"
      : `published ${Plural.of(report.written, "line")}`
  }).pipe(Services.provideAt(location, { mutates: true }))

/** Each finding that has a repair, repaired; one that fails keeps none of the others from being tried. */
const repair = Effect.fnUntraced(function* (found: Surveyed, justThere: boolean, flags: Input<typeof doctor>["flags"]) {
  const repairs: Array<Repair> = []
  const attempt = <R>(name: string, run: Effect.Effect<string, CommandError | { readonly message: string }, R>) =>
    run.pipe(
      Effect.match({
        onSuccess: message => repairs.push({ name, done: true, message }),
        onFailure: error => repairs.push({ name, done: false, message: error.message })
      })
    )
  const broken = (at: Surveyed, name: string) => at.checks.some(check => check.name === name && check.status !== "ok")
  const { location } = found

  if (broken(found, "Metadata") && !broken(found, "JSONL Files")) yield* attempt("Metadata", repairMetadata(location))
  if (broken(found, "Gitignore")) yield* attempt("Gitignore", repairGitignore(location))
  if (Examination.staleTempFiles(location.directory).length > 0) {
    yield* attempt("Leftovers", removeTempFiles(location))
  }
  const unreadable = found.checks.some(({ name, status }) => name === "Issue File" && status === "error")
  if (flags.quarantine && unreadable && !broken(found, "JSONL Files")) {
    yield* attempt("Issue File", quarantine(location))
  }
  const now = repairs.length === 0 ? found : yield* survey(location.directory, justThere)
  // an issue whose line was moved away comes back from the store
  const moved = repairs.some(({ done, name }) => name === "Issue File" && done)
  if (now.usable && Examination.wantsPublish(now.checks, moved)) {
    yield* attempt("Unpublished Changes", publish(now.location))
  }
  return repairs
})

// ---------------------------------------------------------------------------------------------------------------------
// The answer
// ---------------------------------------------------------------------------------------------------------------------

const indented = (text: string, indent: string): ReadonlyArray<string> =>
  text.split("\n").map(line => `${indent}${Escape.line(line)}`)

const signs = { ok: "✓", warning: "⚠", error: "✗" } as const

const text = (checks: ReadonlyArray<Check>, repairs: ReadonlyArray<Repair>): string => {
  const found = checks.filter(({ status }) => status !== "ok")
  return [
    "Diagnostics",
    ...checks.map(
      ({ message, name, status }, i) =>
        ` ${i === checks.length - 1 ? "└" : "├"} ${signs[status]} ${name}: ${Escape.line(message)}`
    ),
    "",
    ...found.flatMap(({ detail, fix, message, name, status }) => [
      `${signs[status]} ${status === "error" ? "Error" : "Warning"}: ${name}: ${Escape.line(message)}`,
      ...(detail === undefined ? [] : indented(detail, "  ")),
      ...(fix === undefined ? [] : indented(`Fix: ${fix}`, "  ")),
      ""
    ]),
    ...(repairs.length === 0
      ? []
      : [
          "Repairs",
          ...repairs.map(({ done, message, name }) => ` ${done ? "✓" : "✗"} ${name}: ${Escape.line(message)}`),
          ""
        ]),
    ...(found.length === 0 ? ["✓ All checks passed"] : [])
  ].join("\n")
}

const nowhere = (start: string): Check => ({
  name: "Installation",
  status: "error",
  message: `no .beads directory in ${start} or above it`,
  fix: "Run 'bd init' to set one up, or set BEADS_DIR to point to one"
})

/** The name of a check however it is typed: `git-tracking`, `Git Tracking`. */
const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, "")

export const run = Effect.fn("bd.doctor")(function* ({ args, flags }: Input<typeof doctor>) {
  const path = yield* Path.Path
  if (flags.clean) {
    return yield* new UsageError({ detail: "--clean goes with --check=pollution", hint: "bd detect-pollution --help" })
  }
  if (flags.quarantine && !flags.fix) {
    return yield* new UsageError({
      detail: "--quarantine goes with --fix",
      hint: "usage: bd doctor --fix --quarantine"
    })
  }
  const here = yield* WorkingDirectory
  const start = args.path === undefined ? here : path.resolve(here, args.path)
  const justThere = args.path !== undefined
  const first = yield* Effect.either(survey(start, justThere))
  const repairs = flags.fix && Either.isRight(first) ? yield* repair(first.right, justThere, flags) : []
  const last = repairs.length === 0 ? first : yield* Effect.either(survey(start, justThere))
  const { checks, place } = Either.match(last, {
    onLeft: ({ directory }) => ({ place: directory, checks: [nowhere(directory)] }),
    onRight: ({ checks, location }) => ({ place: path.dirname(location.directory), checks })
  })
  const names = checks.map(({ name }) => name)
  const wanted = yield* Effect.forEach(flags.check ?? names, asked => {
    const found = names.find(name => plain(name) === plain(asked))
    return found === undefined
      ? new InvalidFlag({ flag: "--check", value: asked, expected: `one of ${names.join(", ")}` })
      : Effect.succeed(found)
  })
  const told = checks.filter(({ name }) => wanted.includes(name))
  const healthy = told.every(({ status }) => status !== "error")
  yield* Output.answer({
    json: () => ({
      path: place,
      checks: told,
      overall_ok: healthy,
      cli_version: Version.json.version,
      ...(flags.fix ? { repairs } : {})
    }),
    text: () => text(told, repairs)
  })
  if (!healthy || repairs.some(({ done }) => !done)) return yield* new AlreadyTold({ exitCode: 1 })
})
