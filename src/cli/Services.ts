/** What a command that works on issues runs on: the `.beads` found, the actor, the tracker. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Progress from "../flush/Progress.ts"
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
const make = Effect.fnUntraced(function* (
  location: Location,
  config: ReadonlyMap<string, string>,
  options: ServicesOptions
) {
  const settings = yield* Settings
  const actor = yield* Actor.find(options)
  const workspace = (options.inMemory === true ? Workspace.makeReadOnly : Workspace.make)({
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
  })
  const services = yield* Effect.provideServiceEffect(workspace, Progress.Progress, ProgressBar.progress)
  return Context.add(services, Session, { location, actor })
})

/** Runs something on tracker and session at a place, which close behind it. `config`: what `config.yaml` says there. */
export const provide =
  (location: Location, config: ReadonlyMap<string, string>, options: ServicesOptions) =>
  <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.scoped(Effect.flatMap(make(location, config, options), services => Effect.provide(work, services)))

/** As `provide`, at a place whose settings nobody has read. */
export const provideAt =
  (location: Location, options: ServicesOptions) =>
  <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.flatMap(ConfigFile.load(location.directory), config => provide(location, config, options)(work))
