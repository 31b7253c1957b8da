/** What a command that works on issues runs on: the `.beads` found, the actor, the tracker. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Workspace from "../tracker/Workspace.ts"
import * as Actor from "./Actor.ts"
import * as ConfigFile from "./ConfigFile.ts"
import type { Location } from "./Discovery.ts"
import * as Prefix from "./Prefix.ts"
import * as ProgressBar from "./ProgressBar.ts"
import { Session } from "./Session.ts"
import { Settings } from "./Settings.ts"

/** Keeps the prefix in `config.yaml`, unless one stands there. What cannot be kept is found again in the ids. */
const keepPrefix = (location: Location) =>
  Effect.map(
    Effect.context<FileSystem.FileSystem | Path.Path>(),
    context => (prefix: string) =>
      ConfigFile.change(location.directory, text =>
        ConfigFile.read(text).get(ConfigFile.prefixKey) ? text : ConfigFile.set(text, ConfigFile.prefixKey, prefix)
      ).pipe(Effect.provide(context), Effect.ignore)
  )

export interface ServicesOptions {
  readonly mutates: boolean
  /** Of new ids, instead of the one in `config.yaml`. */
  readonly prefix?: string | undefined
  /** Read the issue file into memory, and write nothing. */
  readonly inMemory?: boolean
}

/** Tracker and session at a place; `config` is what its `config.yaml` says. */
export const layer = (location: Location, config: ReadonlyMap<string, string>, options: ServicesOptions) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const settings = yield* Settings
      const actor = yield* Actor.find(options)
      return Layer.merge(
        Layer.succeed(Session, { location, actor }),
        (options.inMemory === true ? Workspace.layerReadOnly : Workspace.layer)({
          directory: location.directory,
          issueFile: location.issueFile,
          store: location.database,
          actor,
          prefix: options.prefix ?? (yield* Prefix.configured(config)),
          ...(settings.lockTimeout === undefined ? {} : { lockTimeout: settings.lockTimeout }),
          flush: options.mutates && settings.flush ? "debounced" : "never",
          // one attempt: what the exit code says of a change stays true (G11)
          flushOptions: { retries: false },
          autoImport: settings.import,
          keepPrefix: yield* keepPrefix(location)
        }).pipe(Layer.provide(ProgressBar.layer))
      )
    })
  )

/** As `layer`, at a place whose settings nobody has read. */
export const layerAt = (location: Location, options: ServicesOptions) =>
  Layer.unwrapEffect(Effect.map(ConfigFile.load(location.directory), config => layer(location, config, options)))
