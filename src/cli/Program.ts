/**
 * `bd` as an effect: the words of a command line in, an exit code out. Never fails; what goes wrong has been told.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import type * as Terminal from "@effect/platform/Terminal"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Argv from "./Argv.ts"
import type { Environment } from "./Environment.ts"
import type { CommandError } from "./ExitCode.ts"
import * as Output from "./Output.ts"
import { make as makeProject, Project } from "./Project.ts"
import * as SettingsModule from "./Settings.ts"
import { Settings } from "./Settings.ts"
import { Stdio } from "./Stdio.ts"
import type { WorkingDirectory } from "./WorkingDirectory.ts"

const invoke = (invocation: Argv.Invocation) =>
  Effect.gen(function* () {
    const { run } = yield* Effect.promise(() => import("./CommandTree.ts"))
    const { handlerOf } = yield* Effect.promise(() => import("./Handlers.ts"))
    yield* run(invocation, handlerOf(invocation.command))
  })

const perform = (reading: Argv.Reading) =>
  Effect.gen(function* () {
    switch (reading._tag) {
      case "Misread":
        return yield* reading.error
      case "HelpWanted": {
        const Help = yield* Effect.promise(() => import("./Help.ts"))
        const { answerOf } = yield* Effect.promise(() => import("./Answers.ts"))
        const text = reading.all === true ? Help.page() : Help.text(reading.path)
        const answer = answerOf(reading.path)
        return yield* Output.answer({
          json: () => (answer === undefined ? { help: text } : { help: text, answer }),
          text: () => text
        })
      }
      case "VersionWanted": {
        const Version = yield* Effect.promise(() => import("./Version.ts"))
        return yield* Output.answer({ json: () => Version.json, text: () => Version.line })
      }
      case "Invocation":
        return yield* invoke(reading)
    }
  })

/** The settings, with the project whose `config.yaml` has a say in them. */
const readSettings = ({ _tag, globals }: Argv.Reading) =>
  Effect.gen(function* () {
    const given = yield* SettingsModule.make(globals)
    const project = yield* Effect.provideService(makeProject, Settings, given)
    if (_tag !== "Invocation") return { settings: given, project }
    // without a place to work on, the command tells of that
    const configured = yield* Effect.orElseSucceed(project.config, () => new Map<string, string>())
    const settings = configured.size === 0 ? given : yield* SettingsModule.make(globals, configured)
    return { settings, project }
  })

/** Commands that answer the same whatever the settings are. */
const independent = new Set(["version", "help", "quickstart", "onboard", "completion"])

/** If the settings cannot be read, the failure is told as the flags ask. They are no reason to keep back help or the
 * version. */
const settingsOrProblem = (reading: Argv.Reading) =>
  readSettings(reading).pipe(
    Effect.map(({ project, settings }) => ({ settings, project, problem: Option.none<CommandError>() })),
    Effect.catchAll(error =>
      Effect.gen(function* () {
        const settings = { ...SettingsModule.defaults, json: Argv.isOn(reading.globals.get("json")) }
        return {
          settings,
          project: yield* Effect.provideService(makeProject, Settings, settings),
          problem:
            reading._tag === "Invocation" && !independent.has(reading.command.path[0] ?? "")
              ? Option.some<CommandError>(error)
              : Option.none<CommandError>()
        }
      })
    )
  )

/** Runs a command line. Interruption passes through: a signal has its own exit codes. */
export const main = (
  words: ReadonlyArray<string>
): Effect.Effect<
  number,
  never,
  Stdio | Environment | WorkingDirectory | FileSystem.FileSystem | Path.Path | Terminal.Terminal
> =>
  Effect.gen(function* () {
    const reading = Argv.read(words)
    const { problem, project, settings } = yield* settingsOrProblem(reading)
    const stdio = yield* Stdio
    let answered = false
    const noted = Effect.sync(() => (answered = true))
    const watched = Stdio.of({
      ...stdio,
      out: text => Effect.zipRight(noted, stdio.out(text)),
      outJson: json => Effect.zipRight(noted, stdio.outJson(json)),
      outEscaped: parts => Effect.zipRight(noted, stdio.outEscaped(parts)),
      outStyled: text => Effect.zipRight(noted, stdio.outStyled(text))
    })
    return yield* (Option.isSome(problem) ? Effect.fail(problem.value) : perform(reading)).pipe(
      Effect.as(0),
      Effect.onInterrupt(() => (answered ? Effect.void : Output.interrupted)),
      Effect.catchAllCause(cause =>
        Option.match(Cause.failureOption(cause), {
          onSome: Output.fail,
          onNone: () => (Cause.isInterruptedOnly(cause) ? Effect.interrupt : Output.die(Cause.stripFailures(cause)))
        })
      ),
      Effect.provideService(Settings, settings),
      Effect.provideService(Project, project),
      Effect.provideService(Stdio, watched)
    )
  })
