/** What a command that works on issues runs on: the `.beads` found, the actor, the tracker. */

import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Workspace from "../tracker/Workspace.ts"
import * as Actor from "./Actor.ts"
import { FileUnusable } from "./CliError.ts"
import * as ConfigFile from "./ConfigFile.ts"
import type { Location } from "./Discovery.ts"
import { Session } from "./Session.ts"
import { Settings } from "./Settings.ts"
import * as SmallFile from "./SmallFile.ts"

/** The settings in `.beads/config.yaml`; none if there is no such file. */
export const configFile = Effect.fn("Services.configFile")(function* (location: Location) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* fs
    .readFileString(path.join(location.directory, "config.yaml"))
    .pipe(Effect.orElseSucceed(() => ""))
  return ConfigFile.read(text)
})

/** Changes `.beads/config.yaml`; the file is replaced in one step. What changes nothing writes nothing. */
export const changeConfigFile = Effect.fn("Services.changeConfigFile")(function* (
  location: Location,
  change: (text: string) => string
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(location.directory, "config.yaml")
  yield* Effect.gen(function* () {
    const text = yield* fs.readFileString(file).pipe(
      Effect.catchIf(
        error => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeed("")
      )
    )
    const changed = change(text)
    if (changed !== text) yield* SmallFile.replace(file, changed)
  }).pipe(Effect.mapError(cause => new FileUnusable({ path: file, detail: cause.message, cause })))
})

/** The key of the prefix of new ids in `config.yaml`. */
export const prefixKey = "issue-prefix"

/** Keeps the prefix in `config.yaml`, unless one stands there. What cannot be kept is found again in the ids. */
const keepPrefix = (location: Location) =>
  Effect.map(
    Effect.context<FileSystem.FileSystem | Path.Path>(),
    context => (prefix: string) =>
      changeConfigFile(location, text =>
        ConfigFile.read(text).get(prefixKey) ? text : ConfigFile.set(text, prefixKey, prefix)
      ).pipe(Effect.provide(context), Effect.ignore)
  )

export interface ServicesOptions {
  readonly mutates: boolean
  /** Of new ids, instead of the one in `config.yaml`. */
  readonly prefix?: string | undefined
  /** Read the issue file into memory, and write nothing. */
  readonly inMemory?: boolean
}

/** Tracker and session at a place. */
export const layer = (location: Location, options: ServicesOptions) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const settings = yield* Settings
      const actor = yield* Actor.find(options)
      const config = yield* configFile(location)
      return Layer.merge(
        Layer.succeed(Session, { location, actor }),
        (options.inMemory === true ? Workspace.layerReadOnly : Workspace.layer)({
          directory: location.directory,
          issueFile: location.issueFile,
          store: location.database,
          actor,
          prefix: options.prefix ?? (config.get(prefixKey) || undefined),
          ...(settings.lockTimeout === undefined ? {} : { lockTimeout: settings.lockTimeout }),
          flush: options.mutates && settings.flush ? "debounced" : "never",
          autoImport: settings.import,
          keepPrefix: yield* keepPrefix(location)
        })
      )
    })
  )
