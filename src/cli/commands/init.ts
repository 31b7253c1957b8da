import { execFile } from "node:child_process"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { Tracker } from "../../tracker/Tracker.ts"
import * as BeadsGitignore from "../BeadsGitignore.ts"
import { FileUnusable, NotThereYet } from "../CliError.ts"
import type { Input } from "../CommandSpec.ts"
import type { init } from "../CommandTable.ts"
import * as ConfigFile from "../ConfigFile.ts"
import * as Discovery from "../Discovery.ts"
import * as Escape from "../Escape.ts"
import * as Output from "../Output.ts"
import * as Plural from "../Plural.ts"
import * as Prefix from "../Prefix.ts"
import * as Services from "../Services.ts"
import * as SmallFile from "../SmallFile.ts"
import { WorkingDirectory } from "../WorkingDirectory.ts"

const gitConfig = (directory: string, key: string, value: string) =>
  Effect.async<void, FileUnusable>(resume => {
    execFile("git", ["config", key, value], { cwd: directory }, (cause, _, stderr) => {
      resume(
        cause === null
          ? Effect.void
          : Effect.fail(
              new FileUnusable({
                path: "git config",
                detail: stderr.trim() || "it failed",
                cause
              })
            )
      )
    })
  })

/** Whether there is a repository to register with: asked before anything is written. */
const inRepository = (directory: string) =>
  Effect.async<boolean>(resume => {
    execFile("git", ["rev-parse", "--git-dir"], { cwd: directory }, cause => resume(Effect.succeed(cause === null)))
  })

/** Registers `bd merge` with git, for the issue file only. */
const installMergeDriver = Effect.fnUntraced(function* (location: Discovery.Location) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const project = path.dirname(location.directory)
  yield* gitConfig(project, "merge.beads.name", "bd three-way merge of issues")
  yield* gitConfig(project, "merge.beads.driver", "bd merge %A %O %A %B")
  const attributes = path.join(project, ".gitattributes")
  const line = `${path.basename(location.directory)}/${location.issueFile} merge=beads`
  const text = SmallFile.text(yield* SmallFile.readOwn(attributes))
  if (text.split(/\r?\n/).includes(line)) return
  // added, not written anew: what stands there may be of any encoding
  const before = text === "" || text.endsWith("\n") ? "" : "\n"
  yield* fs.writeFileString(attributes, `${before}${line}\n`, { flag: "a" })
})

/** Writes a file that is not there yet. */
const writeNew = Effect.fnUntraced(function* (file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* fs.exists(file))) yield* SmallFile.replace(file, text)
})

export const run = Effect.fn("bd.init")(function* ({ flags }: Input<typeof init>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if (flags.hooks) {
    return yield* new NotThereYet({ what: "--hooks" })
  }
  const wanted = flags.prefix === undefined ? undefined : yield* Prefix.decode(flags.prefix)
  const location = yield* Discovery.toInit(yield* WorkingDirectory)
  if (flags["merge-driver"] && !(yield* inRepository(path.dirname(location.directory)))) {
    return yield* new FileUnusable({
      path: path.dirname(location.directory),
      detail: "--merge-driver needs a git repository: run 'git init' first"
    })
  }
  const inside = (name: string) => path.join(location.directory, name)

  const prepare = Effect.gen(function* () {
    yield* fs.makeDirectory(location.directory, { recursive: true })
    yield* writeNew(inside(".gitignore"), BeadsGitignore.template)
    yield* writeNew(
      inside("metadata.json"),
      `${JSON.stringify({ database: path.basename(location.database), jsonl_export: location.issueFile })}\n`
    )
  })
  const unusable = Effect.mapError(
    (cause: FileUnusable | { readonly _tag: "SystemError" | "BadArgument"; readonly message: string }) =>
      cause._tag === "FileUnusable"
        ? cause
        : new FileUnusable({ path: location.directory, detail: cause.message, cause })
  )

  yield* prepare.pipe(unusable)
  const report = yield* Effect.flatMap(Tracker, tracker => tracker.init).pipe(
    Services.provideAt(location, { mutates: false, prefix: wanted })
  )
  yield* ConfigFile.change(location.directory, text =>
    ConfigFile.read(text).get(ConfigFile.prefixKey) === report.prefix
      ? text
      : ConfigFile.set(text, ConfigFile.prefixKey, report.prefix)
  )
  if (flags["merge-driver"]) yield* installMergeDriver(location).pipe(unusable)

  yield* Output.confirm({
    json: () => ({
      directory: location.directory,
      database: location.database,
      issue_file: report.issueFile,
      prefix: report.prefix,
      issues: report.issues
    }),
    text: () =>
      [
        "\n✓ bd initialized successfully!\n",
        `  Directory: ${Escape.line(location.directory)}`,
        `  Issue file: ${Escape.line(location.issueFile)} (${Plural.of(report.issues, "issue")})`,
        `  Issue prefix: ${Escape.line(report.prefix)}`,
        ...(flags["merge-driver"] ? ["  Merge driver: in .gitattributes and this clone's git configuration"] : []),
        ""
      ].join("\n")
  })
})
